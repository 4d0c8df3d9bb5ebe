// The bindings of what is done along the person's edge.
#include <math.h>

#include "module.h"
#include "post.h"

namespace nb = nanobind;

namespace vcam {
namespace {

// Owns all memory of an EdgeGrid, and the state of smoothing.
class PersonEdge {
public:
    PersonEdge(int width, int height) {
        if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide)
            bad_value("size: " + std::to_string(width) + "x" + std::to_string(height) + " is not within 1.." +
                      std::to_string(kMaxSide));
        grid_.width = width;
        grid_.height = height;
        grid_.side = post::cell_side(width, height);
        grid_.columns = (width + grid_.side - 1) / grid_.side;
        grid_.rows = (height + grid_.side - 1) / grid_.side;
        const size_t nodes = static_cast<size_t>(width) * height;
        const size_t cells = static_cast<size_t>(grid_.columns) * grid_.rows;
        const size_t state = post::kStatePlanes * nodes, sums = 2 * post::kMoments * cells;
        memory_.resize(2 * state + nodes + 2 * sums + (post::kLinePlanes + post::kRoomPlanes) * cells);
        grid_.before = memory_.data();
        grid_.after = grid_.before + state;
        grid_.moved = grid_.after + state;
        grid_.moments = grid_.moved + nodes;
        grid_.mixed = grid_.moments + sums;
        grid_.planes = grid_.mixed + sums;
        reset();
    }

    void prepare(nb::handle small, nb::handle matte, float smoothing, float refine, float despill) {
        Arguments args;
        EdgePrepare job = {};
        const MatteArguments m = matte_arguments(matte);
        int height = 0, width = 0;
        job.small = args.input("small", small, 3, height, width);
        job.matte = args.matte(m.a, m.b, m.window, m.gain, m.offset);
        require_size("small", width, height);
        require_size("matte", job.matte.width, job.matte.height);
        for (const float strength : {smoothing, refine, despill})
            if (!(strength >= 0.0f && strength <= 1.0f)) bad_value("strengths: expected 0 to 1");
        job.smoothing = smoothing;
        job.refine = refine;
        job.despill = despill;
        if (smoothing > 0.0f)
            std::swap(grid_.before, grid_.after);
        else if (edge_.smooth)
            reset();
        job.grid = grid_;
        {
            nb::gil_scoped_release released;
            kernels().edge_prepare(job, threads());
        }
        const size_t cells = static_cast<size_t>(grid_.columns) * grid_.rows;
        edge_ = {};
        edge_.side = grid_.side;
        edge_.columns = grid_.columns;
        edge_.rows = grid_.rows;
        edge_.smooth = smoothing > 0.0f ? grid_.after : nullptr;
        edge_.line = refine > 0.0f ? grid_.planes : nullptr;
        edge_.room = despill > 0.0f ? grid_.planes + post::kLinePlanes * cells : nullptr;
    }

    void compose(nb::handle source, nb::handle decode, nb::handle matte, nb::handle background, nb::handle target,
                 nb::handle encode, nb::handle look) const {
        Compose job = compose_job({source, decode, matte, background, target, encode, look});
        require_size("matte", job.matte.width, job.matte.height);
        job.edge = edge_;
        nb::gil_scoped_release released;
        kernels().compose(job, threads());
    }

    void alpha(nb::handle source, nb::handle decode, nb::handle matte, nb::handle out) const {
        Alpha job = alpha_job(source, decode, matte, out);
        require_size("matte", job.matte.width, job.matte.height);
        job.edge = edge_;
        nb::gil_scoped_release released;
        kernels().alpha(job, threads());
    }

    // Both states: what was in them can never return.
    void reset() {
        const size_t state = post::kStatePlanes * static_cast<size_t>(grid_.width) * grid_.height;
        std::fill_n(memory_.data(), 2 * state, NAN);
        edge_ = {};
    }

private:
    void require_size(const char* name, int width, int height) const {
        if (width != grid_.width || height != grid_.height)
            bad_value(std::string(name) + ": expected " + std::to_string(grid_.width) + "x" +
                      std::to_string(grid_.height));
    }

    EdgeGrid grid_ = {};
    Edge edge_ = {};
    std::vector<float> memory_;
};

}  // namespace

void bind_edge(nb::module_& m) {
    nb::class_<PersonEdge>(m, "PersonEdge")
        .def(nb::init<int, int>(), nb::arg("width"), nb::arg("height"))
        .def("prepare", &PersonEdge::prepare, nb::arg("small"), nb::arg("matte"), nb::arg("smoothing"),
             nb::arg("refine"), nb::arg("despill"))
        .def("compose", &PersonEdge::compose, nb::arg("source"), nb::arg("decode"), nb::arg("matte"),
             nb::arg("background"), nb::arg("target"), nb::arg("encode"), nb::arg("look") = nb::none())
        .def("alpha", &PersonEdge::alpha, nb::arg("source"), nb::arg("decode"), nb::arg("matte"), nb::arg("out"))
        .def("reset", &PersonEdge::reset);
}

}  // namespace vcam
