// The bindings of the blurs.
#include "module.h"

namespace nb = nanobind;

namespace vcam {
namespace {

// The blurred room, or the blurred person, of pictures of one size; owns all memory of a BlurGrid.
class MaskedBlur {
public:
    MaskedBlur(int width, int height) {
        if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide)
            bad_value("size: " + std::to_string(width) + "x" + std::to_string(height) + " is not within 1.." +
                      std::to_string(kMaxSide));
        grid_.width = width;
        grid_.height = height;
        const int longer = width > height ? width : height;
        grid_.cell = 2 * ((longer + 2 * kMaxBlurCells - 1) / (2 * kMaxBlurCells));
        grid_.columns = (width + grid_.cell - 1) / grid_.cell;
        grid_.rows = (height + grid_.cell - 1) / grid_.cell;
        const size_t cells = static_cast<size_t>(grid_.columns) * grid_.rows;
        const size_t wide = static_cast<size_t>((grid_.columns + 3) / 4) * ((grid_.rows + 3) / 4);
        memory_.resize(4 * (2 * cells + 2 * wide) + 3 * cells);
        grid_.cells = memory_.data();
        grid_.scratch = grid_.cells + 4 * cells;
        grid_.middle = grid_.scratch + 4 * cells;
        grid_.far = grid_.middle + 4 * wide;
        grid_.rgb = grid_.far + 4 * wide;
    }

    void gather(nb::handle source, nb::handle decode, nb::handle matte, float sigma, bool person) {
        Arguments args;
        BlurGather job = {};
        const MatteArguments m = matte_arguments(matte);
        job.grid = grid_;
        job.source = args.source("source", source);
        job.decode = Arguments::matrix("decode", decode);
        job.matte = args.matte(m.a, m.b, m.window, m.gain, m.offset);
        job.sigma = sigma;
        job.person = person;
        require_size("source", job.source);
        if (!(sigma >= 0.0f && sigma <= static_cast<float>(kMaxSide))) bad_value("sigma: expected 0 or more pixels");
        nb::gil_scoped_release released;
        kernels().blur_gather(job, threads());
    }

    void render(nb::handle target, nb::handle encode, nb::handle look) const {
        Arguments args;
        BlurRender job = {};
        job.grid = grid_;
        job.target = args.target("target", target);
        job.encode = Arguments::matrix("encode", encode);
        job.looked = !look.is_none();
        if (job.looked) job.look = Arguments::matrix("look", look);
        require_size("target", job.target);
        args.check_overlap();
        nb::gil_scoped_release released;
        kernels().blur_render(job, threads());
    }

    // Its cells, to be spread over a picture of its size.
    Wash wash(const Picture& picture) const {
        require_size("source", picture);
        const float cell = static_cast<float>(grid_.cell);
        return {grid_.rgb, grid_.columns, grid_.rows, cell, cell};
    }

private:
    void require_size(const char* name, const Picture& picture) const {
        if (picture.width != grid_.width || picture.height != grid_.height)
            bad_value(std::string(name) + ": expected " + std::to_string(grid_.width) + "x" +
                      std::to_string(grid_.height));
    }

    BlurGrid grid_ = {};
    std::vector<float> memory_;
};

}  // namespace

Wash blurred_wash(nb::handle blur, const Picture& picture) {
    const MaskedBlur* person = nullptr;
    if (!nb::try_cast(blur, person, false) || !person) bad_type("blurred: expected a MaskedBlur");
    return person->wash(picture);
}

void bind_blur(nb::module_& m) {
    nb::class_<MaskedBlur>(m, "MaskedBlur")
        .def(nb::init<int, int>(), nb::arg("width"), nb::arg("height"))
        .def("gather", &MaskedBlur::gather, nb::arg("source"), nb::arg("decode"), nb::arg("matte"), nb::arg("sigma"),
             nb::arg("person") = false)
        .def("render", &MaskedBlur::render, nb::arg("target"), nb::arg("encode"), nb::arg("look") = nb::none());
}

}  // namespace vcam
