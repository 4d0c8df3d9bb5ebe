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

struct ComposeArguments {
    nanobind::handle source, decode, matte, background, target, encode, look;
};

void require_same_size(const char* name, const Picture& a, const Picture& b);

// Of the cells of a MaskedBlur over a picture of its size.
Wash blurred_wash(nanobind::handle blur, const Picture& picture);

// Everything of a job but what stands in `edge`; the caller releases the GIL and runs it.
Compose compose_job(const ComposeArguments& arguments);
Alpha alpha_job(nanobind::handle source, nanobind::handle decode, nanobind::handle matte, nanobind::handle out);

void bind_blur(nanobind::module_& module);
void bind_compose(nanobind::module_& module);
void bind_effects(nanobind::module_& module);
void bind_edge(nanobind::module_& module);

}  // namespace vcam
