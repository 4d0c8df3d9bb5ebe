// What may be done to a matte before it composes, once for the C++ loops and the CUDA kernels: smoothing over time,
// refinement and despill. All of it is optional, and none of it touches a pixel that is certain.
//
// Three steps at the network's size, then one at the picture's:
//
// * follow, per node of the matte: the coefficients of alpha follow those of the frames before where nothing moves.
// * gather, per cell of side x side nodes: colours of the room and of the person, each node weighted by how surely it is
//   the one or the other.
// * solve, per cell: from the cells around, the line in colour space from the room to the person, and the room's colour.
// * per pixel of the picture whose own alpha is neither 0 nor 1: those three, interpolated, correct alpha and colour.
//
// FAIL CLOSED. Every correction of alpha is multiplied by certainty's opposite, `doubt`, of the alpha that this very
// frame's matte gives to this very pixel. Where that is 0, what comes out is 0, whatever earlier frames or neighbours
// say: no pixel is uncovered that this frame's matte covers. NaN clamps to alpha 0 here too.
#pragma once

#include "pixel.h"

namespace vcam::post {

using pixel::Vec3;

// Pixels count as uncertain fully within (0.067, 0.933) of alpha, and less and less beyond.
constexpr float kDoubt = 16.0f;

// The most that earlier frames count: a mean over some ten of them.
constexpr float kMemory = 0.9f;

// A mean difference in colour, of R, G and B over 3 x 3 nodes, up to which nothing moves; and from which it surely does.
// Measured with sensor noise of 2 to 6 levels of 255: twice as much lets a moving edge lag.
constexpr float kStill = 0.015f, kMoving = 0.045f;

// A node's weight falls from alpha 0 (1, for the person) and is 0 from 1 / kSteepness of it on. So wide, because at
// the edge of a mask that is off by some pixels the near colours are the right ones.
constexpr float kSteepness = 2.5f;

// Cells per longer side of the matte, a tent of 2 * kReach + 1 cells over which their colours are averaged: colours
// within a fortieth of the picture. Wider lets other things in, narrower does not reach the end of a strand of hair.
constexpr int kCellsPerSide = 85;
constexpr int kReach = 2;

// A cell knows a colour from this share of the weight on, which all nodes in its reach could have.
constexpr float kLeastWeight = 1e-4f;

// Trust in the line is d^2 / (d^2 + kSpread * variances + kNoise) for a distance d of the two colours.
constexpr float kSpread = 0.5f;
constexpr float kNoise = 4e-4f;

// Below this alpha the camera's pixel says little about the person's colour.
constexpr float kLeastAlpha = 1.0f / 17.0f;

// Sums over nodes of one kind: weight * colour, weight * |colour|^2, weight.
template <class T>
struct Moments {
    T r, g, b, square, weight;
};

constexpr int kMoments = 5;

// Of one cell: alpha = x * R + y * G + z * B + offset where trust is 1. All of it is multiplied by trust and by the
// strength of the refinement.
struct Line {
    float x, y, z, offset, trust;
};

// Of one cell: the room's colour, multiplied by weight: the strength of the despill, 0 where no room is near.
struct Room {
    float r, g, b, weight;
};

// Planes of a grid of cells: those of Line, then those of Room.
constexpr int kLinePlanes = 5, kRoomPlanes = 4;

// Planes of the state that smoothing keeps, each (h, w): A and b of alpha, then R, G, B of the picture they belong to.
constexpr int kStatePlanes = 5;

// Nodes per side of a cell, for a matte of that size.
VCAM_HD int cell_side(int width, int height) {
    const int longer = width > height ? width : height;
    const int side = (longer + kCellsPerSide / 2) / kCellsPerSide;
    return side > 2 ? side : 2;
}

// ---- follow: per node ----

// How far one node's picture is from that of the state. NaN where there is no state.
VCAM_HD float difference(Vec3<float> now, Vec3<float> before) {
    const float r = now.x - before.x, g = now.y - before.y, b = now.z - before.z;
    return ((r < 0.0f ? -r : r) + (g < 0.0f ? -g : g) + (b < 0.0f ? -b : b)) * (1.0f / 3.0f);
}

// How much the state counts, from the mean difference over 3 x 3 nodes (fewer at the border). NaN gives 0.
VCAM_HD float keep(float mean_difference, float strength) {
    return kMemory * strength * pixel::unit((kMoving - mean_difference) * (1.0f / (kMoving - kStill)));
}

// The next state of one plane. A state that is NaN is left behind.
VCAM_HD float follow(float now, float before, float keep) { return keep > 0.0f ? pixel::lerp(now, before, keep) : now; }

// ---- gather and solve: per cell ----

template <class T>
VCAM_HD T room_weight(T alpha) {
    return pixel::unit(1.0f - kSteepness * alpha);
}

template <class T>
VCAM_HD T person_weight(T alpha) {
    return pixel::unit(1.0f - kSteepness * (1.0f - alpha));
}

template <class T>
VCAM_HD Moments<T> moments(Vec3<T> rgb, T weight) {
    return {weight * rgb.x, weight * rgb.y, weight * rgb.z, weight * (rgb.x * rgb.x + rgb.y * rgb.y + rgb.z * rgb.z),
            weight};
}

template <class T>
VCAM_HD void add(Moments<T>& sum, const Moments<T>& m) {
    sum = {sum.r + m.r, sum.g + m.g, sum.b + m.b, sum.square + m.square, sum.weight + m.weight};
}

// Of the tent over cells, -kReach..kReach.
VCAM_HD float tent(int distance) { return static_cast<float>(kReach + 1 - (distance < 0 ? -distance : distance)); }

// The weight of all nodes in reach, for cells of side x side nodes.
VCAM_HD float full_weight(int side) {
    constexpr float line = (kReach + 1) * (kReach + 1);  // sum of tent()
    return line * line * static_cast<float>(side * side);
}

// Mean colour and its variance (the sum over R, G and B); known is 0 or 1.
struct Colour {
    Vec3<float> mean;
    float variance, known;
};

VCAM_HD Colour colour(const Moments<float>& m, float full) {
    if (!(m.weight > kLeastWeight * full)) return {{0.0f, 0.0f, 0.0f}, 0.0f, 0.0f};
    const float share = 1.0f / m.weight;
    const Vec3<float> mean = {share * m.r, share * m.g, share * m.b};
    const float spread = share * m.square - (mean.x * mean.x + mean.y * mean.y + mean.z * mean.z);
    return {mean, spread > 0.0f ? spread : 0.0f, 1.0f};
}

// The projection of a colour on the way from the room's to the person's, as far as the two tell each other apart.
VCAM_HD Line line(const Colour& room, const Colour& person, float strength) {
    const Vec3<float> d = {person.mean.x - room.mean.x, person.mean.y - room.mean.y, person.mean.z - room.mean.z};
    const float square = d.x * d.x + d.y * d.y + d.z * d.z;
    const float scale =
        strength * room.known * person.known / (square + kSpread * (room.variance + person.variance) + kNoise);
    return {scale * d.x, scale * d.y, scale * d.z,
            -scale * (d.x * room.mean.x + d.y * room.mean.y + d.z * room.mean.z), scale * square};
}

VCAM_HD Room room(const Colour& room, float strength) {
    const float weight = strength * room.known;
    return {weight * room.mean.x, weight * room.mean.y, weight * room.mean.z, weight};
}

// ---- per pixel; T is float or a vector of floats ----

// 0 where the matte's own alpha is certain, 1 where it is not.
template <class T>
VCAM_HD T doubt(T own) {
    return pixel::unit(kDoubt * own * (1.0f - own));
}

// smooth: alpha by the state's coefficients.
template <class T>
VCAM_HD T smoothed(T own, T doubt, T smooth) {
    return pixel::lerp(own, smooth, doubt);
}

// x .. trust: Line, interpolated.
template <class T>
VCAM_HD T refined(T alpha, T doubt, Vec3<T> rgb, Vec3<T> slope, T offset, T trust) {
    const T on_line = slope.x * rgb.x + (slope.y * rgb.y + (slope.z * rgb.z + offset));
    return pixel::unit(alpha + doubt * (on_line - trust * alpha));
}

// How much of the room's colour was mixed into one part of the person's: (1 - alpha) / alpha.
template <class T>
VCAM_HD T mixture(T alpha) {
    return (1.0f - alpha) / pixel::Bound<T>::above(alpha, kLeastAlpha);
}

// One channel of the foreground without the room: c = alpha F + (1 - alpha) B solved for F. foreground: as the matte
// models it. room, weight: Room, interpolated.
template <class T>
VCAM_HD T despilled(T foreground, T doubt, T mixture, T c, T room, T weight) {
    return pixel::unit(foreground + doubt * (weight * (c - foreground) + mixture * (weight * c - room)));
}

}  // namespace vcam::post
