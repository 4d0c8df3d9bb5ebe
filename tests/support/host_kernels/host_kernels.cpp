// The CUDA kernels, compiled for this processor: run over a grid, one thread after the other.
#include <stddef.h>

#include "vcam.cu"

namespace vcam::cuda {
namespace {

struct Launch {
    const unsigned *grid, *block;
    const void* arguments;
};

template <class Arguments, void (*kKernel)(const Arguments)>
void run(const Launch& launch) {
    Arguments arguments;
    memcpy(&arguments, launch.arguments, sizeof arguments);
    blockDim = {launch.block[0], launch.block[1], launch.block[2]};
    for (blockIdx.z = 0; blockIdx.z < launch.grid[2]; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < launch.grid[1]; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < launch.grid[0]; ++blockIdx.x)
                for (threadIdx.z = 0; threadIdx.z < launch.block[2]; ++threadIdx.z)
                    for (threadIdx.y = 0; threadIdx.y < launch.block[1]; ++threadIdx.y)
                        for (threadIdx.x = 0; threadIdx.x < launch.block[0]; ++threadIdx.x) kKernel(arguments);
}

struct Kernel {
    const char* name;
    size_t arguments_bytes;
    void (*run)(const Launch&);
};

template <class Arguments>
Arguments arguments_of(void (*)(const Arguments));

#define KERNEL(name) \
    {#name, sizeof(decltype(arguments_of(name))), run<decltype(arguments_of(name)), name>}
#define COMPOSE_INTO(target)                                                                           \
    KERNEL(compose_I420_##target), KERNEL(compose_I422_##target), KERNEL(compose_I444_##target),       \
        KERNEL(compose_YUYV_##target), KERNEL(compose_NV12_##target)

const Kernel kKernels[] = {KERNEL(sample),      KERNEL(check),       KERNEL(compose),    COMPOSE_INTO(YUYV),
                           COMPOSE_INTO(NV12),  COMPOSE_INTO(I420),  KERNEL(alpha),      KERNEL(scale),
                           KERNEL(convert),     KERNEL(copy),        KERNEL(blur_gather), KERNEL(blur_shrink),
                           KERNEL(blur_widen),  KERNEL(blur_smooth), KERNEL(blur_divide), KERNEL(blur_render),
                           KERNEL(compose_edge), KERNEL(compose_look), KERNEL(edge_difference), KERNEL(edge_follow), KERNEL(edge_gather),
                           KERNEL(edge_mix),    KERNEL(edge_solve), KERNEL(grow_seed), KERNEL(grow_reach), KERNEL(grow_finish),
                           KERNEL(light_cells), KERNEL(light_smooth), KERNEL(light_finish)};

struct Field {
    const char *structure, *name;
    size_t offset, size;
};

#define FIELD(structure, name) {#structure, #name, offsetof(structure, name), sizeof(structure::name)}
#define END(structure) {#structure, "", sizeof(structure), 0}

const Field kFields[] = {
    FIELD(Matrix34, m), END(Matrix34),
    FIELD(Picture, plane), FIELD(Picture, stride), FIELD(Picture, layout), FIELD(Picture, width),
    FIELD(Picture, height), END(Picture),
    FIELD(Axis, scale), FIELD(Axis, reciprocal), FIELD(Axis, origin), FIELD(Axis, size), END(Axis),
    FIELD(Matte, a), FIELD(Matte, b), FIELD(Matte, view), FIELD(Matte, live), FIELD(Matte, width),
    FIELD(Matte, height), FIELD(Matte, half), END(Matte),
    FIELD(Edge, smooth), FIELD(Edge, line), FIELD(Edge, room), FIELD(Edge, columns), FIELD(Edge, rows), END(Edge),
    FIELD(View, nodes_x), FIELD(View, nodes_y), FIELD(View, cells_x), FIELD(View, cells_y), FIELD(View, light_x), FIELD(View, light_y),
    FIELD(View, step_x),
    FIELD(View, step_y), FIELD(View, x), FIELD(View, y), FIELD(View, sigma), FIELD(View, person_sigma), FIELD(View, unused), END(View),
    FIELD(Live, gain), FIELD(Live, offset), FIELD(Live, smoothing), FIELD(Live, refine), FIELD(Live, despill), FIELD(Live, grow),
    FIELD(Live, unused), FIELD(Live, room), END(Live),
    FIELD(SampleArguments, source), FIELD(SampleArguments, decode), FIELD(SampleArguments, x),
    FIELD(SampleArguments, y), FIELD(SampleArguments, out), FIELD(SampleArguments, width),
    FIELD(SampleArguments, height), FIELD(SampleArguments, half), END(SampleArguments),
    FIELD(CheckArguments, a), FIELD(CheckArguments, b), FIELD(CheckArguments, flag), FIELD(CheckArguments, count),
    FIELD(CheckArguments, half), END(CheckArguments),
    FIELD(ComposeArguments, source), FIELD(ComposeArguments, background), FIELD(ComposeArguments, target),
    FIELD(ComposeArguments, decode), FIELD(ComposeArguments, encode), FIELD(ComposeArguments, matte),
    FIELD(ComposeArguments, edge), FIELD(ComposeArguments, flag), FIELD(ComposeArguments, rows), END(ComposeArguments),
    FIELD(AlphaArguments, source), FIELD(AlphaArguments, decode), FIELD(AlphaArguments, matte),
    FIELD(AlphaArguments, edge), FIELD(AlphaArguments, out), FIELD(AlphaArguments, rows), END(AlphaArguments),
    FIELD(Figure, look), FIELD(Figure, pairs), FIELD(Figure, unused), END(Figure),
    FIELD(Wash, rgb), FIELD(Wash, x), FIELD(Wash, y), END(Wash),
    FIELD(LookArguments, compose), FIELD(LookArguments, figure), FIELD(LookArguments, light),
    FIELD(LookArguments, blurred), FIELD(LookArguments, in_place), END(LookArguments),
    FIELD(ScaleArguments, source), FIELD(ScaleArguments, target), FIELD(ScaleArguments, view), END(ScaleArguments),
    FIELD(ConvertArguments, source), FIELD(ConvertArguments, target), FIELD(ConvertArguments, decode),
    FIELD(ConvertArguments, encode), FIELD(ConvertArguments, same_colour), END(ConvertArguments),
    FIELD(CopyArguments, source), FIELD(CopyArguments, target), END(CopyArguments),
    FIELD(Grid, cells), FIELD(Grid, scratch), FIELD(Grid, middle), FIELD(Grid, far), FIELD(Grid, wide_scratch),
    FIELD(Grid, sums), FIELD(Grid, rgb), FIELD(Grid, width), FIELD(Grid, height), FIELD(Grid, cell),
    FIELD(Grid, columns), FIELD(Grid, rows), END(Grid),
    FIELD(GatherArguments, grid), FIELD(GatherArguments, source), FIELD(GatherArguments, decode),
    FIELD(GatherArguments, matte), FIELD(GatherArguments, person), END(GatherArguments),
    FIELD(StepArguments, grid), FIELD(StepArguments, view), FIELD(StepArguments, number),
    FIELD(StepArguments, person), END(StepArguments),
    FIELD(RenderArguments, grid), FIELD(RenderArguments, target), FIELD(RenderArguments, encode),
    FIELD(RenderArguments, live), FIELD(RenderArguments, x), FIELD(RenderArguments, y), FIELD(RenderArguments, rows),
    FIELD(RenderArguments, looked), END(RenderArguments),
    FIELD(GrowArguments, small), FIELD(GrowArguments, a), FIELD(GrowArguments, b), FIELD(GrowArguments, live),
    FIELD(GrowArguments, seeds), FIELD(GrowArguments, reach), FIELD(GrowArguments, grown_a),
    FIELD(GrowArguments, grown_b), FIELD(GrowArguments, width), FIELD(GrowArguments, height),
    FIELD(GrowArguments, small_half), FIELD(GrowArguments, half), END(GrowArguments),
    FIELD(LightArguments, camera), FIELD(LightArguments, background), FIELD(LightArguments, cells),
    FIELD(LightArguments, scratch), FIELD(LightArguments, rgb), FIELD(LightArguments, matte),
    FIELD(LightArguments, columns), FIELD(LightArguments, rows), FIELD(LightArguments, number), END(LightArguments),
    FIELD(EdgeArguments, before), FIELD(EdgeArguments, after), FIELD(EdgeArguments, moved),
    FIELD(EdgeArguments, moments), FIELD(EdgeArguments, mixed), FIELD(EdgeArguments, planes),
    FIELD(EdgeArguments, small), FIELD(EdgeArguments, a), FIELD(EdgeArguments, b), FIELD(EdgeArguments, live), FIELD(EdgeArguments, width),
    FIELD(EdgeArguments, height), FIELD(EdgeArguments, side), FIELD(EdgeArguments, columns),
    FIELD(EdgeArguments, rows), FIELD(EdgeArguments, small_half), FIELD(EdgeArguments, half),
    END(EdgeArguments)};

struct Constant {
    const char* name;
    long value;
};

#define LAYOUT(name) {#name, static_cast<long>(Layout::name)}

const Constant kConstants[] = {LAYOUT(I420), LAYOUT(I422), LAYOUT(I444), LAYOUT(YUYV), LAYOUT(NV12), LAYOUT(GREY),
                               LAYOUT(RGB24), {"kMaxBlurCells", kMaxBlurCells}, {"kWideFactor", blur::kWideFactor},
                               {"kPasses", kPasses}, {"kCellsPerSide", post::kCellsPerSide},
                               {"kStatePlanes", post::kStatePlanes}, {"kLinePlanes", post::kLinePlanes},
                               {"kRoomPlanes", post::kRoomPlanes}, {"kSums", kSums}, {"kLookFloats", look::kLookFloats}, {"kLightCells", look::kLightCells}};

template <class Row, size_t kCount>
const Row* row_of(const Row (&rows)[kCount], size_t i) {
    return i < kCount ? rows + i : nullptr;
}

}  // namespace
}  // namespace vcam::cuda

#define EXPORT extern "C" __attribute__((visibility("default")))

using vcam::cuda::Constant;
using vcam::cuda::Field;
using vcam::cuda::Kernel;

// Rows of the tables; null after the last one.
EXPORT const Kernel* host_kernel(size_t i) { return vcam::cuda::row_of(vcam::cuda::kKernels, i); }
EXPORT const Field* host_field(size_t i) { return vcam::cuda::row_of(vcam::cuda::kFields, i); }
EXPORT const Constant* host_constant(size_t i) { return vcam::cuda::row_of(vcam::cuda::kConstants, i); }

EXPORT void host_run(const Kernel* kernel, const unsigned* grid, const unsigned* block, const void* arguments) {
    kernel->run({grid, block, arguments});
}
