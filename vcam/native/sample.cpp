// sample: camera planes to the small normalised RGB tensor of the network, and the check of what comes back.
#include "rows.h"

namespace vcam::VCAM_ISA {
namespace {

constexpr int kColumns = 128;  // output pixels of a task
constexpr int kBandRows = 16;

struct Scratch {
    int offset[2][2][kColumns];  // [left or right tap][luma or chroma], bytes from the start of a row
    alignas(64) float weight[kColumns];
    alignas(64) int32_t tap[2][2][3][kColumns];  // [row][column][component] levels
    alignas(64) float rgb[3][kColumns];
};

// Bytes from one sample to the next; chroma of a GREY picture is luma, which its matrix ignores.
struct Steps {
    int luma, chroma, chroma_shift;
};

Steps steps_of(Layout layout) {
    switch (layout) {
        case Layout::YUYV:
            return {2, 4, 1};
        case Layout::NV12:
            return {1, 2, 1};
        case Layout::I420:
        case Layout::I422:
            return {1, 1, 1};
        case Layout::RGB24:
            return {3, 3, 0};
        default:
            return {1, 1, 0};
    }
}

const uint8_t* component_row(const Picture& p, int component, int y) {
    switch (p.layout) {
        case Layout::YUYV:
            return line(p, 0, y) + (component == 0 ? 0 : 2 * component - 1);
        case Layout::RGB24:
            return line(p, 0, y) + component;
        case Layout::GREY:
            return line(p, 0, y);
        case Layout::NV12:
            return component == 0 ? line(p, 0, y) : line(p, 1, y / 2) + (component - 1);
        default:
            return line(p, component, component == 0 ? y : chroma_row(p, y));
    }
}

void place(const Sample& job, int first, int n, Scratch& s) {
    const Steps steps = steps_of(job.source.layout);
    const float scale = static_cast<float>(job.width) / job.window.width;
    for (int i = 0; i < n; ++i) {
        const pixel::Tap t = pixel::tap(first + i, scale, job.window.x, job.source.width);
        s.weight[i] = t.weight;
        for (int side = 0; side < 2; ++side) {
            const int x = side ? t.second : t.first;
            s.offset[side][0][i] = x * steps.luma;
            s.offset[side][1][i] = (x >> steps.chroma_shift) * steps.chroma;
        }
    }
}

void gather_row(const Picture& p, int y, int n, const Scratch& s, int32_t (&out)[2][3][kColumns]) {
    for (int c = 0; c < 3; ++c) {
        const uint8_t* row = component_row(p, c, y);
        const int* left = s.offset[0][c != 0];
        const int* right = s.offset[1][c != 0];
        for (int i = 0; i < n; ++i) {
            out[0][c][i] = row[left[i]];
            out[1][c][i] = row[right[i]];
        }
    }
}

// One row of s.tap, left and right taps mixed.
VCAM_HD pixel::Vec3<Floats> mixed_taps(const pixel::Matrix34& to_rgb, const Scratch& s, int row, int i) {
    const auto at = [&](int side) {
        const auto& level = s.tap[row][side];
        return pixel::decode(to_rgb, to_floats(load(level[0] + i)), to_floats(load(level[1] + i)),
                             to_floats(load(level[2] + i)));
    };
    const pixel::Vec3<Floats> a = at(0), b = at(1);
    const Floats t = load(s.weight + i);
    return {pixel::lerp(a.x, b.x, t), pixel::lerp(a.y, b.y, t), pixel::lerp(a.z, b.z, t)};
}

void output_row(const Sample& job, Scratch& s, float weight_y, float* out, int n) {
    const pixel::Matrix34 to_rgb = job.decode;
    for (int i = 0; i < n; i += kLanes) {
        const pixel::Vec3<Floats> top = mixed_taps(to_rgb, s, 0, i), bottom = mixed_taps(to_rgb, s, 1, i);
        store(s.rgb[0] + i, pixel::lerp(top.x, bottom.x, weight_y));
        store(s.rgb[1] + i, pixel::lerp(top.y, bottom.y, weight_y));
        store(s.rgb[2] + i, pixel::lerp(top.z, bottom.z, weight_y));
    }
    const ptrdiff_t plane = static_cast<ptrdiff_t>(job.width) * job.height;
    for (int c = 0; c < 3; ++c) memcpy(out + c * plane, s.rgb[c], static_cast<size_t>(n) * sizeof(float));
}

void run_task(const Sample& job, int tile, int band, Scratch& s) {
    const int first = tile * kColumns;
    const int n = job.width - first < kColumns ? job.width - first : kColumns;
    const float scale = static_cast<float>(job.height) / job.window.height;
    const int end = (band + 1) * kBandRows < job.height ? (band + 1) * kBandRows : job.height;
    place(job, first, n, s);
    for (int y = band * kBandRows; y < end; ++y) {
        const pixel::Tap t = pixel::tap(y, scale, job.window.y, job.source.height);
        gather_row(job.source, t.first, n, s, s.tap[0]);
        gather_row(job.source, t.second, n, s, s.tap[1]);
        output_row(job, s, t.weight, job.out + static_cast<ptrdiff_t>(y) * job.width + first, n);
    }
}

}  // namespace

void sample(const Sample& job, int threads) {
    const int tiles = (job.width + kColumns - 1) / kColumns;
    const int bands = (job.height + kBandRows - 1) / kBandRows;
#pragma omp parallel num_threads(threads)
    {
        Scratch scratch;
#pragma omp for schedule(dynamic)
        for (int i = 0; i < tiles * bands; ++i) run_task(job, i % tiles, i / tiles, scratch);
    }
    (void)threads;
}

// An exponent of all ones is an infinity or not a number (IEEE 754-2019, 3.4).
bool all_finite(const float* values, size_t count) {
    uint32_t bad = 0;
    for (size_t i = 0; i < count; ++i) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return bad == 0;
}

}  // namespace vcam::VCAM_ISA
