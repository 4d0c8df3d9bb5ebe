// What the loops work on, and the table through which the bindings call them.
//
// The loops are compiled once per instruction set into a namespace of its own (VCAM_ISA); the bindings choose one table
// at import. Nothing here allocates: scratch is on the stack or belongs to the caller. Arguments are already checked.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "look.h"
#include "pixel.h"

namespace vcam {

// Order as in the bindings' table of fourccs.
enum class Layout : int { I420, I422, I444, YUYV, NV12, GREY, RGB24 };

struct PlaneSize {
    int rows, bytes;  // without padding
};

// Rows and bytes per row of the planes; what a layout does not have is {0, 0}. As vcam.frame.plane_shapes.
VCAM_HD PlaneSize plane_size(Layout layout, int w, int h, int plane) {
    const int cw = (w + 1) / 2, ch = (h + 1) / 2;
    switch (layout) {
        case Layout::I444:
            return {h, w};
        case Layout::I422:
            return {h, plane == 0 ? w : cw};
        case Layout::I420:
            return {plane == 0 ? h : ch, plane == 0 ? w : cw};
        case Layout::NV12:
            if (plane == 2) return {0, 0};
            return {plane == 0 ? h : ch, plane == 0 ? w : 2 * cw};
        default:
            if (plane > 0) return {0, 0};
            return {h, layout == Layout::YUYV ? 4 * cw : layout == Layout::RGB24 ? 3 * w : w};
    }
}

VCAM_HD bool shares_chroma(Layout layout) {
    return layout != Layout::I444 && layout != Layout::RGB24 && layout != Layout::GREY;
}

VCAM_HD bool halves_rows(Layout layout) { return layout == Layout::I420 || layout == Layout::NV12; }

// Widest picture: bounds the row buffers on the stack.
constexpr int kMaxSide = 8192;

// Planes with any row stride. Sources are never written through.
struct Picture {
    Layout layout;
    int width, height;
    uint8_t* plane[3];
    ptrdiff_t stride[3];
};

// A part of a picture or matte, in its pixels, beginning at (x, y). A negative width reads to the left from there, a
// negative height upwards: mirrored, flipped.
struct Window {
    float x, y, width, height;
};

// A and b (4, height, width); window is the part that covers the picture. alpha becomes gain * alpha + offset
// before its clip.
struct Matte {
    const float* a;
    const float* b;
    int width, height;
    Window window;
    float gain, offset;
};

// Corrections along the person's edge; see EdgeGrid. A null pointer is a correction that is not made.
struct Edge {
    const float* smooth;  // (2, h, w) of the matte's size: A and b of alpha, followed over time
    const float* line;    // (5, rows, columns)
    const float* room;    // (4, rows, columns)
    int side, columns, rows;

    VCAM_HD bool on() const { return smooth || line || room; }
};

struct Sample {
    Picture source;
    pixel::Matrix34 decode;
    Window window;
    float* out;
    int width, height;
};

// A coarse picture (3, rows, columns), RGB in [0, 1], spread over a view; scale: pixels of the view per cell.
struct Wash {
    const float* rgb;
    int columns, rows;
    float scale_x, scale_y;
};

// look: null where the person is shown as the matte has it. light, blurred: see look.h. shift: what is drawn over pair
// i of the background comes from pair i - shift. in_place: background and target are the same planes.
struct Compose {
    Picture source, background, target;
    pixel::Matrix34 decode, encode;
    Matte matte;
    Edge edge;
    const look::Look* look;
    Wash light, blurred;
    int shift;
    bool in_place;
};

// One of out8, out32 is set: (height, width) of the source, packed.
struct Alpha {
    Picture source;
    pixel::Matrix34 decode;
    Matte matte;
    Edge edge;
    uint8_t* out8;
    float* out32;
};

// same_colour: both sides mean the same levels, which are then only moved and averaged.
struct Convert {
    Picture source, target;
    pixel::Matrix34 decode, encode;
    bool same_colour;
};

// Both of one layout. window is the part of the source that fills the target.
struct Scale {
    Picture source, target;
    Window window;
};

constexpr int kMaxBlurCells = 320;  // per side

// The room at a fraction of its size: cells of cell x cell pixels, (r, g, b, weight) each. All memory is the owner's.
// See blur.cpp.
struct BlurGrid {
    int width, height;  // of the picture
    int cell;           // pixels per side of a cell, even
    int columns, rows;  // of cells
    float* cells;       // (rows, columns, 4)
    float* scratch;     // the same, before the outline of the person is grown
    float* middle;      // (ceil(rows / 4), ceil(columns / 4), 4)
    float* far;         // the same
    float* rgb;         // (3, rows, columns), the result
};

// sigma is in pixels of the picture. person: what is blurred is not the room but the person.
struct BlurGather {
    BlurGrid grid;
    Picture source;
    pixel::Matrix34 decode;
    Matte matte;
    float sigma;
    bool person;
};

// look: of R, G, B in [0, 1], where `looked`; the result is clipped to [0, 1] before it is encoded.
struct BlurRender {
    BlurGrid grid;
    Picture target;
    pixel::Matrix34 encode, look;
    bool looked;
};

// What is known of the person's edge; post.h has the arithmetic, edge.cpp the loops. All memory is the owner's.
struct EdgeGrid {
    int width, height;  // of the matte
    int side;           // nodes per side of a cell
    int columns, rows;  // of cells
    float* before;      // (5, height, width), the state of the last frame, NaN where there is none
    float* after;       // the same, of this frame
    float* moved;       // (height, width)
    float* moments;     // (rows, columns, 10), the room's and the person's
    float* mixed;       // the same, averaged along rows
    float* planes;      // (9, rows, columns): post::Line, post::Room
};

// Strengths in [0, 1]; 0 leaves out the work. small: (3, height, width), what the matte was made of.
struct EdgePrepare {
    EdgeGrid grid;
    const float* small;
    Matte matte;
    float smoothing, refine, despill;
};

// The matte with the person larger (strength up to 1) or smaller (down to -1), levels folded into it; see grow.h.
// small: (3, height, width), what the matte was made of. rows: scratch (height, width). a, b: (4, height, width).
struct Grow {
    const float* small;
    Matte matte;
    float strength;
    float* rows;
    float *a, *b;
};

// camera, background: (3, rows, columns) RGB in [0, 1], the view and what is behind the person, at the grid's size.
// cells: scratch (rows, columns, 4). out: (3, rows, columns).
struct Light {
    const float *camera, *background;
    Matte matte;
    int columns, rows;
    float* cells;
    float* out;
};

struct Kernels {
    const char* name;
    void (*sample)(const Sample&, int threads);
    void (*compose)(const Compose&, int threads);
    void (*alpha)(const Alpha&, int threads);
    void (*convert)(const Convert&, int threads);
    void (*scale)(const Scale&, int threads);
    void (*blur_gather)(const BlurGather&, int threads);
    void (*blur_render)(const BlurRender&, int threads);
    void (*edge_prepare)(const EdgePrepare&, int threads);
    void (*grow)(const Grow&, int threads);
    void (*light)(const Light&, int threads);
    bool (*all_finite)(const float* values, size_t count);
};

namespace baseline {
extern const Kernels kernels;
}
#ifdef VCAM_X86
namespace v3 {
extern const Kernels kernels;
}
namespace v4 {
extern const Kernels kernels;
}
#endif

}  // namespace vcam
