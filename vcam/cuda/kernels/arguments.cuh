// The arguments of the kernels, one struct by value each. vcam/cuda/arguments.py has the same; a test compares them.
#pragma once

#include "live.cuh"

namespace vcam::cuda {

using pixel::Matrix34;

// Planes of 8-bit samples. Strides in bytes.
struct Picture {
    uint8_t* plane[3];
    int32_t stride[3];
    Layout layout;
    int32_t width, height;
};

// vcam::Matte; values are of half precision where `half`. view: how a picture lies on it.
struct Matte {
    const void* a;
    const void* b;
    const View* view;
    const Live* live;
    int32_t width, height, half;
};

// Corrections along the person's edge, as vcam::Edge; a null pointer is a correction that is not made.
struct Edge {
    const float* smooth;  // (2, h, w) of the matte's size: A and b of alpha
    const float* line;    // (5, rows, columns) of cells
    const float* room;    // (4, rows, columns)
    int32_t columns, rows;
};

// out: (3, height, width).
struct SampleArguments {
    Picture source;
    Matrix34 decode;
    Axis x, y;
    void* out;
    int32_t width, height, half;
};

// count: values of a, and of b.
struct CheckArguments {
    const void* a;
    const void* b;
    uint32_t* flag;
    int32_t count, half;
};

// rows: how many a thread walks down; even.
struct ComposeArguments {
    Picture source, background, target;
    Matrix34 decode, encode;
    Matte matte;
    Edge edge;
    const uint32_t* flag;
    int32_t rows;
};

// A coarse picture (3, rows, columns), RGB in [0, 1], over a picture; null: none.
struct Wash {
    const float* rgb;
    Axis x, y;
};

// compose with a look; its rows are not looked at. in_place: the background is the target.
struct LookArguments {
    ComposeArguments compose;
    const Figure* figure;
    Wash light, blurred;
    int32_t in_place;
};

struct AlphaArguments {
    Picture source;
    Matrix34 decode;
    Matte matte;
    Edge edge;
    uint8_t* out;
    int32_t rows;
};

struct ScaleArguments {
    Picture source, target;
    const View* view;
};

struct ConvertArguments {
    Picture source, target;
    Matrix34 decode, encode;
    int32_t same_colour;
};

struct CopyArguments {
    Picture source, target;
};

// The room at a fraction of its size, as vcam::BlurGrid; cells of (r, g, b, weight) are 16-byte aligned.
struct Grid {
    float4* cells;         // (rows, columns)
    float4* scratch;       // the same
    float4* middle;        // (wide rows, wide columns)
    float4* far;           // the same
    float4* wide_scratch;  // the same
    float4* sums;          // (wide rows), of the cells of each before they are blurred
    float* rgb;            // (3, rows, columns), the result
    int32_t width, height, cell, columns, rows;
};

// person: what is blurred is not the room but the person.
struct GatherArguments {
    Grid grid;
    Picture source;
    Matrix34 decode;
    Matte matte;
    int32_t person;
};

// number: which of the steps that smooth.
struct StepArguments {
    Grid grid;
    const View* view;
    int32_t number, person;
};

// looked: the room's look counts, which stands in `live`.
struct RenderArguments {
    Grid grid;
    Picture target;
    Matrix34 encode;
    const Live* live;
    Axis x, y;
    int32_t rows, looked;
};

// As vcam::Grow; small, a and b are of half precision where they say so.
struct GrowArguments {
    const void* small;  // (3, height, width)
    const void* a;      // (4, height, width)
    const void* b;      // the same
    const Live* live;
    float* seeds;       // (height, width)
    float* reach;       // the same, the greatest along rows
    float* grown_a;     // (4, height, width), the result
    float* grown_b;     // the same
    int32_t width, height, small_half, half;
};

// As vcam::Light; number: which of the steps that smooth.
struct LightArguments {
    const float* camera;      // (3, rows, columns)
    const float* background;  // the same
    float4* cells;            // (rows, columns), 16-byte aligned
    float4* scratch;          // the same
    float* rgb;               // (3, rows, columns), the result
    Matte matte;
    int32_t columns, rows, number;
};

// What becomes an Edge, as vcam::EdgeGrid; small, a and b are of half precision where they say so.
struct EdgeArguments {
    const float* before;  // (5, height, width), NaN where there was no frame
    float* after;         // the same
    float* moved;         // (height, width)
    float* moments;       // (rows, columns, 10)
    float* mixed;         // the same
    float* planes;        // (9, rows, columns)
    const void* small;    // (3, height, width)
    const void* a;        // (4, height, width)
    const void* b;        // the same
    const Live* live;
    int32_t width, height, side, columns, rows;
    int32_t small_half, half;
};

}  // namespace vcam::cuda
