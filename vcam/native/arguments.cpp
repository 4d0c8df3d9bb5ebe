#include "arguments.h"

#include <cmath>

namespace nb = nanobind;

namespace vcam {
namespace {

using ReadArray = nb::ndarray<nb::ro, nb::device::cpu>;
using WriteArray = nb::ndarray<nb::device::cpu>;

struct Fourcc {
    const char* name;
    Layout layout;
};

// The values of vcam.frame.PixelFormat.
constexpr Fourcc kFourccs[] = {{"YU12", Layout::I420}, {"422P", Layout::I422}, {"YM24", Layout::I444},
                               {"YUYV", Layout::YUYV}, {"NV12", Layout::NV12}, {"GREY", Layout::GREY},
                               {"RGB3", Layout::RGB24}};

std::string shape_text(const int64_t* shape, size_t n) {
    std::string text = "(";
    for (size_t i = 0; i < n; ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + ")";
}

template <class Array>
Array array_of(const std::string& name, nb::handle value, const char* wanted) {
    Array array;
    ReadArray readable;
    if (nb::try_cast(value, array, false)) return array;
    if (nb::try_cast(value, readable, false)) bad_value(name + ": the array is read-only, got an output to write");
    bad_type(name + ": expected " + wanted + ", got " + nb::cast<std::string>(nb::str(value.type().attr("__name__"))));
}

bool is_float32(const nb::dlpack::dtype& type) { return type == nb::dtype<float>(); }
bool is_uint8(const nb::dlpack::dtype& type) { return type == nb::dtype<uint8_t>(); }

template <class Array>
bool packed(const Array& array) {
    int64_t step = 1;
    if (array.size() == 0) return true;
    for (size_t i = array.ndim(); i-- > 0;) {
        if (array.shape(i) > 1 && array.stride(i) != step) return false;
        step *= static_cast<int64_t>(array.shape(i));
    }
    return true;
}

template <class Array>
void require_floats(const std::string& name, const Array& array, size_t ndim) {
    if (!is_float32(array.dtype())) bad_type(name + ": expected float32 values");
    if (array.ndim() != ndim)
        bad_value(name + ": expected " + std::to_string(ndim) + " dimensions, got shape " +
                  shape_text(array.shape_ptr(), array.ndim()));
    if (!packed(array)) bad_value(name + ": the array must be C-contiguous");
}

template <class Array>
void add_extent(std::vector<Extent>& extents, const char* name, const Array& array) {
    const auto* begin = static_cast<const uint8_t*>(array.data_handle()) + array.byte_offset();
    extents.push_back({name, begin, begin + array.nbytes()});
}

void plane_of(const std::string& name, nb::handle value, const PlaneSize& wanted, Picture& picture, int index,
              bool writes) {
    const auto take = [&](const auto& array) {
        if (!is_uint8(array.dtype())) bad_type(name + ": expected uint8 bytes");
        if (array.ndim() != 2 || static_cast<int64_t>(array.shape(0)) != wanted.rows ||
            static_cast<int64_t>(array.shape(1)) != wanted.bytes)
            bad_value(name + ": expected shape (" + std::to_string(wanted.rows) + ", " + std::to_string(wanted.bytes) +
                      "), got " + shape_text(array.shape_ptr(), array.ndim()));
        if (wanted.bytes > 1 && array.stride(1) != 1) bad_value(name + ": the bytes of a row must be contiguous");
        if (wanted.rows > 1 && array.stride(0) < wanted.bytes)
            bad_value(name + ": the row stride " + std::to_string(array.stride(0)) + " is shorter than a row");
        picture.plane[index] = static_cast<uint8_t*>(array.data_handle()) + array.byte_offset();
        picture.stride[index] = wanted.rows > 1 ? array.stride(0) : static_cast<int64_t>(array.shape(1));
    };
    if (writes)
        take(array_of<WriteArray>(name, value, "a uint8 array"));
    else
        take(nb::ndarray<nb::ro>(array_of<ReadArray>(name, value, "a uint8 array")));
}

Layout layout_of(const std::string& name, nb::handle value) {
    std::string fourcc;
    if (!nb::try_cast(value, fourcc)) bad_type(name + ": expected the fourcc as a str");
    for (const Fourcc& known : kFourccs)
        if (fourcc == known.name) return known.layout;
    bad_value(name + ": no raw pixel layout is called '" + fourcc + "'");
}

}  // namespace

void bad_type(const std::string& text) { throw nb::type_error(text.c_str()); }
void bad_value(const std::string& text) { throw nb::value_error(text.c_str()); }

Picture Arguments::picture_of(const char* name, nb::handle value, std::vector<Extent>& extents, bool writes) {
    nb::tuple parts, planes;
    Picture picture = {};
    if (!nb::try_cast(value, parts, false) || parts.size() != 4 || !nb::try_cast(parts[1], picture.width) ||
        !nb::try_cast(parts[2], picture.height) || !nb::try_cast(parts[3], planes, false))
        bad_type(std::string(name) + ": expected (fourcc, width, height, tuple of planes)");
    picture.layout = layout_of(name, parts[0]);
    if (picture.width < 1 || picture.height < 1 || picture.width > kMaxSide || picture.height > kMaxSide)
        bad_value(std::string(name) + ": a side of " + std::to_string(picture.width) + "x" +
                  std::to_string(picture.height) + " is not within 1.." + std::to_string(kMaxSide));
    PlaneSize shapes[3];
    int count = 0;
    for (int i = 0; i < 3; ++i) {
        shapes[i] = plane_size(picture.layout, picture.width, picture.height, i);
        count += shapes[i].rows > 0;
    }
    if (static_cast<int>(planes.size()) != count)
        bad_value(std::string(name) + ": expected " + std::to_string(count) + " planes, got " +
                  std::to_string(planes.size()));
    for (int i = 0; i < count; ++i) {
        plane_of(std::string(name) + " plane " + std::to_string(i), planes[static_cast<size_t>(i)], shapes[i], picture,
                 i, writes);
        const uint8_t* begin = picture.plane[i];
        extents.push_back({name, begin, begin + picture.stride[i] * (shapes[i].rows - 1) + shapes[i].bytes});
    }
    return picture;
}

pixel::Matrix34 Arguments::matrix(const char* name, nb::handle value) {
    const auto array = array_of<ReadArray>(name, value, "a (3, 4) float32 array");
    require_floats(name, array, 2);
    if (array.shape(0) != 3 || array.shape(1) != 4) bad_value(std::string(name) + ": expected shape (3, 4)");
    pixel::Matrix34 matrix;
    const auto* values =
        reinterpret_cast<const float*>(static_cast<const uint8_t*>(array.data_handle()) + array.byte_offset());
    for (int i = 0; i < 12; ++i) matrix.m[i] = values[i];
    return matrix;
}

Window Arguments::window(const char* name, nb::handle value, int width, int height) {
    if (value.is_none()) return {0.0f, 0.0f, static_cast<float>(width), static_cast<float>(height)};
    nb::tuple parts;
    Window w = {};
    if (!nb::try_cast(value, parts, false) || parts.size() != 4 || !nb::try_cast(parts[0], w.x) ||
        !nb::try_cast(parts[1], w.y) || !nb::try_cast(parts[2], w.width) || !nb::try_cast(parts[3], w.height))
        bad_type(std::string(name) + ": expected (x, y, width, height)");
    // A window from float arithmetic may stand out by a rounding.
    constexpr float slack = 1e-3f;
    const auto inside = [](float from, float extent, int size) {
        const float low = extent < 0.0f ? from + extent : from, high = extent < 0.0f ? from : from + extent;
        return (extent < 0.0f || extent > 0.0f) && low >= -slack && high <= static_cast<float>(size) + slack;
    };
    if (!inside(w.x, w.width, width) || !inside(w.y, w.height, height))
        bad_value(std::string(name) + ": the window does not lie within " + std::to_string(width) + "x" +
                  std::to_string(height));
    return w;
}

Matte Arguments::matte(nb::handle a, nb::handle b, nb::handle window_value, float gain, float offset) {
    Matte matte = {};
    const float** values[2] = {&matte.a, &matte.b};
    const nb::handle arrays[2] = {a, b};
    const char* names[2] = {"a", "b"};
    for (int i = 0; i < 2; ++i) {
        const auto array = array_of<ReadArray>(names[i], arrays[i], "a (4, h, w) float32 array");
        require_floats(names[i], array, 3);
        const bool sized =
            array.shape(1) >= 1 && array.shape(2) >= 1 && array.shape(1) <= kMaxSide && array.shape(2) <= kMaxSide;
        if (array.shape(0) != 4 || !sized)
            bad_value(std::string(names[i]) + ": expected shape (4, h, w), got " + shape_text(array.shape_ptr(), 3));
        if (i && (static_cast<int>(array.shape(1)) != matte.height || static_cast<int>(array.shape(2)) != matte.width))
            bad_value("b: its shape " + shape_text(array.shape_ptr(), 3) + " is not that of a");
        matte.height = static_cast<int>(array.shape(1));
        matte.width = static_cast<int>(array.shape(2));
        *values[i] =
            reinterpret_cast<const float*>(static_cast<const uint8_t*>(array.data_handle()) + array.byte_offset());
        add_extent(reads_, names[i], array);
    }
    if (!std::isfinite(gain) || !std::isfinite(offset)) bad_value("levels: gain and offset must be finite");
    matte.window = window("matte window", window_value, matte.width, matte.height);
    matte.gain = gain;
    matte.offset = offset;
    return matte;
}

namespace {

// Of an array (channels, height, width).
template <class Array>
uint8_t* planes_of(const char* name, const Array& array, size_t channels, int& height, int& width) {
    require_floats(name, array, 3);
    const bool sized =
        array.shape(1) >= 1 && array.shape(2) >= 1 && array.shape(1) <= kMaxSide && array.shape(2) <= kMaxSide;
    if (array.shape(0) != channels || !sized)
        bad_value(std::string(name) + ": expected shape (" + std::to_string(channels) + ", h, w), got " +
                  shape_text(array.shape_ptr(), 3));
    height = static_cast<int>(array.shape(1));
    width = static_cast<int>(array.shape(2));
    return static_cast<uint8_t*>(const_cast<void*>(static_cast<const void*>(array.data_handle()))) +
           array.byte_offset();
}

}  // namespace

const float* Arguments::input(const char* name, nb::handle value, size_t channels, int& height, int& width) {
    const auto array = array_of<ReadArray>(name, value, "a float32 array");
    const uint8_t* bytes = planes_of(name, array, channels, height, width);
    add_extent(reads_, name, array);
    return reinterpret_cast<const float*>(bytes);
}

float* Arguments::output(const char* name, nb::handle value, size_t channels, int& height, int& width) {
    const auto array = array_of<WriteArray>(name, value, "a float32 array");
    uint8_t* bytes = planes_of(name, array, channels, height, width);
    add_extent(writes_, name, array);
    return reinterpret_cast<float*>(bytes);
}

void Arguments::alpha_output(const char* name, nb::handle value, Alpha& job) {
    const auto array = array_of<WriteArray>(name, value, "a uint8 or float32 array");
    if (!is_uint8(array.dtype()) && !is_float32(array.dtype()))
        bad_type(std::string(name) + ": expected uint8 or float32");
    if (array.ndim() != 2 || static_cast<int>(array.shape(0)) != job.source.height ||
        static_cast<int>(array.shape(1)) != job.source.width || !packed(array))
        bad_value(std::string(name) + ": expected a C-contiguous array of shape (" + std::to_string(job.source.height) +
                  ", " + std::to_string(job.source.width) + "), got " + shape_text(array.shape_ptr(), array.ndim()));
    auto* data = static_cast<uint8_t*>(array.data_handle()) + array.byte_offset();
    if (is_uint8(array.dtype()))
        job.out8 = data;
    else
        job.out32 = reinterpret_cast<float*>(data);
    add_extent(writes_, name, array);
}

void Arguments::check_overlap() const {
    const auto overlap = [](const Extent& a, const Extent& b) { return a.begin < b.end && b.begin < a.end; };
    for (size_t i = 0; i < writes_.size(); ++i) {
        for (const Extent& read : reads_)
            if (overlap(writes_[i], read))
                bad_value(std::string(writes_[i].name) + ": its memory overlaps the input " + read.name);
        for (size_t j = 0; j < i; ++j)
            if (overlap(writes_[i], writes_[j])) bad_value(std::string(writes_[i].name) + ": its planes overlap");
    }
}

std::pair<const float*, size_t> float_values(const char* name, nb::handle value) {
    const auto array = array_of<ReadArray>(name, value, "a float32 array");
    require_floats(name, array, array.ndim());
    return {reinterpret_cast<const float*>(static_cast<const uint8_t*>(array.data_handle()) + array.byte_offset()),
            array.size()};
}

}  // namespace vcam
