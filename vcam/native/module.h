// What the files of the bindings share.
#pragma once

#include "arguments.h"

namespace vcam {

// The chosen table of loops, and over how many threads they spread.
const Kernels& kernels();
int threads();

struct MatteArguments {
    nanobind::handle a, b, window;
    float gain, offset;
};

// Of (a, b, window, gain, offset).
MatteArguments matte_arguments(nanobind::handle value);

// Everything of a job but what stands in `edge`; the caller releases the GIL and runs it.
Compose compose_job(nanobind::handle source, nanobind::handle decode, nanobind::handle matte,
                    nanobind::handle background, nanobind::handle target, nanobind::handle encode);
Alpha alpha_job(nanobind::handle source, nanobind::handle decode, nanobind::handle matte, nanobind::handle out);

void bind_edge(nanobind::module_& module);

}  // namespace vcam
