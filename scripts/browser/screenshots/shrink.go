package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// shrink writes a picture with the 256 colours that serve it best: a page has few, and the shades at the edges of
// its letters are no loss.
func shrink(full []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(full))
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	counts := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			counts[rgba(img.At(x, y))]++
		}
	}
	chosen := choose(counts)
	nearest := map[color.RGBA]uint8{}
	for c := range counts {
		nearest[c] = uint8(chosen.Index(c))
	}
	small := image.NewPaletted(b, chosen)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[rgba(img.At(x, y))])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, small); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

// bucket is a set of colours that one will stand for.
type bucket []shade

type shade struct {
	color.RGBA
	count int
}

// choose cuts the colours in two at their weighted middle, along their widest channel, until there are 256 sets, and
// takes the commonest colour of each: so the page's own colours stay exact. (Median cut)
func choose(counts map[color.RGBA]int) color.Palette {
	all := make(bucket, 0, len(counts))
	for c, n := range counts {
		all = append(all, shade{c, n})
	}
	slices.SortFunc(all, func(a, b shade) int { return cmp.Or(cmp.Compare(key(a), key(b))) })
	sets := []bucket{all}
	for len(sets) < 256 {
		slices.SortStableFunc(sets, func(a, b bucket) int { return cmp.Compare(b.spread(), a.spread()) })
		if sets[0].spread() == 0 {
			break
		}
		a, b := sets[0].cut()
		sets = append(sets[1:], a, b)
	}
	chosen := color.Palette{}
	for _, s := range sets {
		chosen = append(chosen, slices.MaxFunc(s, func(a, b shade) int {
			return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(key(a), key(b)))
		}).RGBA)
	}
	return chosen
}

func key(s shade) int { return int(s.R)<<16 | int(s.G)<<8 | int(s.B) }

// widest is the channel in which the colours differ most, and by how much.
func (b bucket) widest() (channel, width int) {
	for c := range 3 {
		lo, hi := 255, 0
		for _, s := range b {
			lo, hi = min(lo, value(s, c)), max(hi, value(s, c))
		}
		if hi-lo > width {
			channel, width = c, hi-lo
		}
	}
	return channel, width
}

func value(s shade, channel int) int { return int([3]uint8{s.R, s.G, s.B}[channel]) }

// spread says how much is lost if one colour stands for all of b.
func (b bucket) spread() int {
	_, width := b.widest()
	n := 0
	for _, s := range b {
		n += s.count
	}
	return width * (1 + bits(n))
}

func bits(n int) (b int) {
	for ; n > 0; n >>= 1 {
		b++
	}
	return b
}

func (b bucket) cut() (left, right bucket) {
	channel, _ := b.widest()
	slices.SortStableFunc(b, func(x, y shade) int { return cmp.Compare(value(x, channel), value(y, channel)) })
	middle := value(b[len(b)/2], channel)
	i := 1
	for i < len(b)-1 && value(b[i], channel) < middle {
		i++
	}
	return b[:i], b[i:]
}
