// Python bindings: check, release the GIL, call the chosen table of loops.
#include <nanobind/stl/vector.h>

#include <atomic>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "module.h"

namespace nb = nanobind;
using namespace vcam;

namespace {

// Every table this processor can run, best first.
std::vector<const Kernels*> runnable() {
    std::vector<const Kernels*> tables;
#ifdef VCAM_X86
    __builtin_cpu_init();
    // By features, not by level: compilers before GCC 12 do not know the names of the levels here.
    const bool v3_runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4_runs = v3_runs && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl");
    if (v4_runs) tables.push_back(&v4::kernels);
    if (v3_runs) tables.push_back(&v3::kernels);
#endif
    tables.push_back(&baseline::kernels);
    return tables;
}

int default_threads() {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

std::atomic<const Kernels*> active{runnable().front()};
std::atomic<int> thread_count{default_threads()};

void select_isa(const std::string& name) {
    for (const Kernels* table : runnable())
        if (name == table->name) {
            active = table;
            return;
        }
    bad_value("isa: this processor or build has no '" + name + "'");
}

std::vector<std::string> isas() {
    std::vector<std::string> names;
    for (const Kernels* table : runnable()) names.emplace_back(table->name);
    return names;
}

void set_threads(int count) {
    if (count < 1) bad_value("threads: expected at least 1, got " + std::to_string(count));
    thread_count = count;
}

void sample(nb::handle source, nb::handle decode, nb::handle window, nb::handle out) {
    Arguments args;
    Sample job = {};
    job.source = args.source("source", source);
    job.decode = Arguments::matrix("decode", decode);
    job.window = Arguments::window("window", window, job.source.width, job.source.height);
    job.out = args.output("out", out, 3, job.height, job.width);
    args.check_overlap();
    nb::gil_scoped_release released;
    active.load()->sample(job, thread_count);
}

void alpha(nb::handle source, nb::handle decode, nb::handle matte, nb::handle out) {
    const Alpha job = alpha_job(source, decode, matte, out);
    nb::gil_scoped_release released;
    active.load()->alpha(job, thread_count);
}

void convert(nb::handle source, nb::handle decode, nb::handle target, nb::handle encode, bool same_colour) {
    Arguments args;
    Convert job = {};
    job.source = args.source("source", source);
    job.decode = Arguments::matrix("decode", decode);
    job.target = args.target("target", target);
    job.encode = Arguments::matrix("encode", encode);
    job.same_colour = same_colour;
    require_same_size("target", job.target, job.source);
    args.check_overlap();
    nb::gil_scoped_release released;
    active.load()->convert(job, thread_count);
}

void scale(nb::handle source, nb::handle window, nb::handle target) {
    Arguments args;
    Scale job = {};
    job.source = args.source("source", source);
    job.window = Arguments::window("window", window, job.source.width, job.source.height);
    job.target = args.target("target", target);
    if (job.source.layout != job.target.layout) bad_value("target: its layout is not that of the source");
    args.check_overlap();
    nb::gil_scoped_release released;
    active.load()->scale(job, thread_count);
}

bool all_finite(nb::handle array) {
    const auto [values, count] = float_values("array", array);
    nb::gil_scoped_release released;
    return active.load()->all_finite(values, count);
}

}  // namespace

namespace vcam {

void require_same_size(const char* name, const Picture& a, const Picture& b) {
    if (a.width != b.width || a.height != b.height)
        bad_value(std::string(name) + ": its size is not that of the source");
}

const Kernels& kernels() { return *active.load(); }

int threads() { return thread_count; }

MatteArguments matte_arguments(nb::handle value) {
    nb::tuple parts;
    MatteArguments matte = {};
    if (!nb::try_cast(value, parts, false) || parts.size() != 5 || !nb::try_cast(parts[3], matte.gain) ||
        !nb::try_cast(parts[4], matte.offset))
        bad_type("matte: expected (a, b, window, gain, offset)");
    matte.a = parts[0];
    matte.b = parts[1];
    matte.window = parts[2];
    return matte;
}

Alpha alpha_job(nb::handle source, nb::handle decode, nb::handle matte, nb::handle out) {
    Arguments args;
    Alpha job = {};
    const MatteArguments m = matte_arguments(matte);
    job.source = args.source("source", source);
    job.decode = Arguments::matrix("decode", decode);
    job.matte = args.matte(m.a, m.b, m.window, m.gain, m.offset);
    args.alpha_output("out", out, job);
    args.check_overlap();
    return job;
}

}  // namespace vcam

NB_MODULE(_pixels, m) {
    m.def("isa", [] { return std::string(active.load()->name); });
    m.def("isas", &isas);
    m.def("select_isa", &select_isa, nb::arg("name"));
    m.def("threads", [] { return thread_count.load(); });
    m.def("set_threads", &set_threads, nb::arg("count"));
    m.def("sample", &sample, nb::arg("source"), nb::arg("decode"), nb::arg("window").none(), nb::arg("out"));
    bind_compose(m);
    m.def("alpha", &alpha, nb::arg("source"), nb::arg("decode"), nb::arg("matte"), nb::arg("out"));
    m.def("convert", &convert, nb::arg("source"), nb::arg("decode"), nb::arg("target"), nb::arg("encode"),
          nb::kw_only(), nb::arg("same_colour"));
    m.def("scale", &scale, nb::arg("source"), nb::arg("window").none(), nb::arg("target"));
    bind_blur(m);
    bind_edge(m);
    bind_effects(m);
    m.def("all_finite", &all_finite, nb::arg("array"));
}
