// The bindings of compose: what it blends, and how the person shall look.
#include "module.h"

namespace nb = nanobind;

namespace vcam {
namespace {

bool same_planes(const Picture& a, const Picture& b) {
    bool same = a.layout == b.layout && a.width == b.width && a.height == b.height;
    for (int i = 0; i < 3; ++i) same = same && a.plane[i] == b.plane[i] && a.stride[i] == b.stride[i];
    return same;
}

Wash light_wash(Arguments& args, nb::handle light, const Picture& picture) {
    Wash wash = {};
    wash.rgb = args.input("light", light, 3, wash.rows, wash.columns);
    wash.scale_x = static_cast<float>(picture.width) / static_cast<float>(wash.columns);
    wash.scale_y = static_cast<float>(picture.height) / static_cast<float>(wash.rows);
    return wash;
}

// Of (numbers, light or None, a MaskedBlur or None, shift).
void add_look(Arguments& args, nb::handle value, Compose& job) {
    nb::tuple parts;
    if (!nb::try_cast(value, parts, false) || parts.size() != 4 || !nb::try_cast(parts[3], job.shift))
        bad_type("look: expected (numbers, light or None, blurred person or None, shift)");
    const auto [numbers, count] = float_values("look", parts[0]);
    if (count != look::kLookFloats)
        bad_value("look: expected " + std::to_string(look::kLookFloats) + " numbers, got " + std::to_string(count));
    job.look = reinterpret_cast<const look::Look*>(numbers);
    if (!parts[1].is_none()) job.light = light_wash(args, parts[1], job.source);
    if (!parts[2].is_none()) job.blurred = blurred_wash(parts[2], job.source);
    job.shift = job.shift < -kMaxSide ? -kMaxSide : job.shift > kMaxSide ? kMaxSide : job.shift;
    if (job.shift != 0 && !job.in_place) bad_value("look: only what is drawn in place can be shifted");
}

void compose(nb::handle source, nb::handle decode, nb::handle matte, nb::handle background, nb::handle target,
             nb::handle encode, nb::handle look) {
    const Compose job = compose_job({source, decode, matte, background, target, encode, look});
    nb::gil_scoped_release released;
    kernels().compose(job, threads());
}

}  // namespace

Compose compose_job(const ComposeArguments& a) {
    Arguments args, aside;
    Compose job = {};
    const MatteArguments m = matte_arguments(a.matte);
    job.source = args.source("source", a.source);
    job.decode = Arguments::matrix("decode", a.decode);
    job.matte = args.matte(m.a, m.b, m.window, m.gain, m.offset);
    job.background = aside.source("background", a.background);
    job.target = args.target("target", a.target);
    job.encode = Arguments::matrix("encode", a.encode);
    require_same_size("background", job.background, job.source);
    require_same_size("target", job.target, job.source);
    if (job.background.layout != job.target.layout) bad_value("background: its layout is not that of the target");
    if (job.target.layout == Layout::GREY) bad_value("target: GREY cannot hold a composed picture");
    job.in_place = same_planes(job.background, job.target);
    if (!job.in_place) args.source("background", a.background);
    if (!a.look.is_none()) add_look(args, a.look, job);
    args.check_overlap();
    return job;
}

void bind_compose(nb::module_& m) {
    m.def("compose", &compose, nb::arg("source"), nb::arg("decode"), nb::arg("matte"), nb::arg("background"),
          nb::arg("target"), nb::arg("encode"), nb::arg("look") = nb::none());
}

}  // namespace vcam
