// What may change from frame to frame without recording it anew: in one block of device memory, 16-byte aligned, which
// kernels read through pointers. vcam/cuda/live.py has the same structs; a test compares them.
#pragma once

#include "platform.cuh"

namespace vcam::cuda {

// One direction of a linear resize (pixel::tap): output size / input extent and its reciprocal, the input coordinate
// where that extent begins, and the input's size. Where the output is turned around, the extent is negative.
struct Axis {
    float scale, reciprocal, origin;
    int32_t size;
};

// How pictures of one output size show the camera and the matte.
struct View {
    Axis nodes_x, nodes_y;       // a picture on the nodes of the matte
    Axis cells_x, cells_y;       // on the cells of its corrections
    Axis light_x, light_y;       // the cells of the light around the person on the nodes of the matte
    float step_x, step_y, x, y;  // pixels of the camera that make one of the picture, and where its first begins
    float sigma, person_sigma;   // of the blurred room and of the blurred person, in pixels of the picture
    float unused[2];
};

// What all views share.
struct Live {
    float gain, offset;                // of alpha, before its clip
    float smoothing, refine, despill;  // strengths of the corrections
    float grow;                        // -1 .. 1
    float unused[2];
    pixel::Matrix34 room;              // what is done to R, G, B of the blurred room, and then clipped
};

// The person once, as look.h says: itself, or one of its ghosts, moved to the right by so many pairs of pixels.
struct Figure {
    look::Look look;
    int32_t pairs;
    int32_t unused;
};

}  // namespace vcam::cuda
