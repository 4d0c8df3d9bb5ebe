// The bindings of what happens beside compose: the matte grown, the light around the person.
#include <algorithm>

#include "module.h"

namespace nb = nanobind;

namespace vcam {
namespace {

struct Grid {
    int height, width;
};

void require_grid(const char* name, Grid got, Grid wanted) {
    if (got.height != wanted.height || got.width != wanted.width)
        bad_value(std::string(name) + ": expected " + std::to_string(wanted.width) + "x" +
                  std::to_string(wanted.height));
}

void grow(nb::handle small, nb::handle matte, float strength, nb::handle rows, nb::handle a, nb::handle b) {
    Arguments args;
    Grow job = {};
    Grid grids[4] = {};
    const MatteArguments m = matte_arguments(matte);
    job.matte = args.matte(m.a, m.b, m.window, m.gain, m.offset);
    job.small = args.input("small", small, 3, grids[0].height, grids[0].width);
    job.rows = args.output("rows", rows, 1, grids[1].height, grids[1].width);
    job.a = args.output("out a", a, 4, grids[2].height, grids[2].width);
    job.b = args.output("out b", b, 4, grids[3].height, grids[3].width);
    const char* names[] = {"small", "rows", "out a", "out b"};
    for (int i = 0; i < 4; ++i) require_grid(names[i], grids[i], {job.matte.height, job.matte.width});
    if (!(strength >= -1.0f && strength <= 1.0f)) bad_value("strength: expected -1 to 1");
    job.strength = strength;
    args.check_overlap();
    nb::gil_scoped_release released;
    kernels().grow(job, threads());
}

void light(nb::handle camera, nb::handle background, nb::handle matte, nb::handle cells, nb::handle out) {
    Arguments args;
    Light job = {};
    Grid camera_grid = {}, background_grid = {}, cells_grid = {}, out_grid = {};
    const MatteArguments m = matte_arguments(matte);
    job.matte = args.matte(m.a, m.b, m.window, m.gain, m.offset);
    job.camera = args.input("camera", camera, 3, camera_grid.height, camera_grid.width);
    job.background = args.input("background", background, 3, background_grid.height, background_grid.width);
    job.cells = args.output("cells", cells, 4, cells_grid.height, cells_grid.width);
    job.out = args.output("out", out, 3, out_grid.height, out_grid.width);
    require_grid("background", background_grid, camera_grid);
    require_grid("cells", cells_grid, camera_grid);
    require_grid("out", out_grid, camera_grid);
    if (std::max(camera_grid.width, camera_grid.height) > kMaxBlurCells)
        bad_value("camera: at most " + std::to_string(kMaxBlurCells) + " cells a side");
    job.columns = camera_grid.width;
    job.rows = camera_grid.height;
    args.check_overlap();
    nb::gil_scoped_release released;
    kernels().light(job, threads());
}

}  // namespace

void bind_effects(nb::module_& m) {
    m.attr("LIGHT_CELLS") = look::kLightCells;
    m.def("grow", &grow, nb::arg("small"), nb::arg("matte"), nb::arg("strength"), nb::arg("rows"), nb::arg("a"),
          nb::arg("b"));
    m.def("light", &light, nb::arg("camera"), nb::arg("background"), nb::arg("matte"), nb::arg("cells"),
          nb::arg("out"));
}

}  // namespace vcam
