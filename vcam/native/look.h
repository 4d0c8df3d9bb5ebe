// How the person is shown, once for the C++ loops and the CUDA kernels: colours, opacity, hologram, light wrap.
//
// All of it comes after alpha and foreground of a pixel were found from the untouched picture. In order:
//
//   own     the foreground, or the person's colours from a blurred picture (anonymised)
//   graded  = curve(unit(grade * own))                 curve: one table per channel, only where `curved` is not 0
//   lit     = graded + wrap * light * (1 - graded)     light: of the background around, see `light` below
//   shown   = unit(tint * lit) * row light             row: scan lines, a sweeping band
//   alpha   = alpha * opacity * row cover
//
// FAIL CLOSED. Opacity and cover are at most 1 and alpha is only ever multiplied by them: where the matte gives 0, the
// result is the background.
//
// A ghost is the person once more, moved sideways by a whole number of pixel pairs, over the background before the
// person is: out = person over (ghost over background), each by the whole arithmetic above, a ghost with an opacity of
// its own. All of it is that of the pixel which it was moved from.
#pragma once

#include "pixel.h"

namespace vcam::look {

using pixel::Vec3;

// Entries of a table, for values from 0 to 1. Four for each level of 8 bits: the nearest is near enough, and reading
// two to lie between them takes twice as long.
constexpr int kCurve = 1024;

// Floats only, in this order: vcam.compose.look writes them. No pointer: one copy serves a processor or a GPU.
struct Look {
    pixel::Matrix34 grade;  // of R, G, B in [0, 1], before the tables
    pixel::Matrix34 tint;   // after them
    float opacity;          // 0..1
    float wrap;             // 0..1
    // Scan lines: `line_turns` waves per row of the output, begun at line_phase; what they take of light and of cover.
    float line_turns, line_phase, line_light, line_cover;
    // A band that sweeps over them, and the light that it adds.
    float band_turns, band_phase, band_light;
    float curved;  // not 0: the tables count
    float tables[3][kCurve];
};

constexpr int kLookFloats = 34 + 3 * kCurve;
static_assert(sizeof(Look) == kLookFloats * sizeof(float), "a Look is nothing but its floats");

// What one row of the output leaves of light (factor, 0 or more) and of cover (0..1).
struct RowLook {
    float light, cover;
};

// 1 at whole turns, 0 halfway between them, smooth. turns: 0 or more.
VCAM_HD float wave(float turns) {
    const float part = turns - static_cast<float>(static_cast<int>(turns));
    const float t = part < 0.5f ? 1.0f - 2.0f * part : 2.0f * part - 1.0f;
    return t * t * (3.0f - 2.0f * t);
}

// y: the row of the output.
VCAM_HD RowLook row_look(const Look& look, int y) {
    const float row = static_cast<float>(y);
    const float line = wave(row * look.line_turns + look.line_phase);
    const float sweep = wave(row * look.band_turns + look.band_phase);
    const float band = sweep * sweep * sweep * sweep;  // narrow
    return {1.0f - look.line_light * line + look.band_light * band, pixel::unit(1.0f - look.line_cover * line)};
}

// A table at x in [0, 1]: the nearest entry. A vector type gathers.
template <class T>
struct Curve {
    static VCAM_HD T at(const float* table, T x) {
        return table[static_cast<int>(x * static_cast<float>(kCurve - 1) + 0.5f)];
    }
};

template <class T>
VCAM_HD Vec3<T> graded(const Look& look, Vec3<T> own) {
    const Vec3<T> c = pixel::decode(look.grade, own.x, own.y, own.z);
    if (look.curved == 0.0f) return c;
    return {Curve<T>::at(look.tables[0], c.x), Curve<T>::at(look.tables[1], c.y), Curve<T>::at(look.tables[2], c.z)};
}

// As screen does: light only adds, and white stays white. light: R, G, B in [0, 1].
template <class T>
VCAM_HD Vec3<T> lit(const Look& look, Vec3<T> c, Vec3<T> light) {
    return {c.x + look.wrap * light.x * (1.0f - c.x), c.y + look.wrap * light.y * (1.0f - c.y),
            c.z + look.wrap * light.z * (1.0f - c.z)};
}

template <class T>
VCAM_HD Vec3<T> shown(const Look& look, const RowLook& row, Vec3<T> c) {
    const Vec3<T> tinted = pixel::decode(look.tint, c.x, c.y, c.z);
    return {pixel::unit(row.light * tinted.x), pixel::unit(row.light * tinted.y), pixel::unit(row.light * tinted.z)};
}

// T is float or a vector; NaN stays alpha 0, as alpha came out of a clamp.
template <class T>
VCAM_HD T cover(const Look& look, const RowLook& row, T alpha) {
    return alpha * (look.opacity * row.cover);
}

// ---- light wrap: per cell of a coarse picture of the view ----

// Cells on the longer side of the view, and the sigma by which light spreads, as a share of the longer side.
constexpr int kLightCells = 160;
constexpr float kLightSpread = 0.02f;

// The light that the background sends through one cell; `lit` gets it spread by three boxes along rows and columns
// (what lies beyond the border sends none), and reads it bilinearly.
template <class T>
VCAM_HD Vec3<T> light(T alpha, Vec3<T> background) {
    const T through = 1.0f - alpha;
    return {through * background.x, through * background.y, through * background.z};
}

}  // namespace vcam::look
