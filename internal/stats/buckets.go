package stats

import "math"

// powersOfTen are the lower ends of the decades.
var powersOfTen = [decades]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
	1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// supported are the quantiles Envoy reports, smallest first.
var supported = [...]float64{0, 0.25, 0.5, 0.75, 0.90, 0.95, 0.99, 0.995, 0.999, 1}

// SupportedQuantiles returns the quantiles that every histogram reports, as fractions, smallest
// first. The slice is the caller's.
func SupportedQuantiles() []float64 { return append([]float64(nil), supported[:]...) }

// bucketOf is the index of the bucket that v falls into.
func bucketOf(v uint64) int {
	if v == 0 {
		return 0
	}
	decade := 0
	for decade+1 < decades && v >= powersOfTen[decade+1] {
		decade++
	}
	firstTwo := v * 10 // below 10 the second digit is 0
	if decade > 0 {
		firstTwo = v / powersOfTen[decade-1]
	}
	return 1 + decade*perDecade + int(firstTwo) - 10
}

// bounds returns a bucket's lower end and its width; the bucket of 0 has no width.
func bounds(bucket int) (left, width float64) {
	if bucket == 0 {
		return 0, 0
	}
	decade, firstTwo := (bucket-1)/perDecade, (bucket-1)%perDecade+10
	scale := float64(powersOfTen[decade])
	return float64(firstTwo) * scale / 10, scale / 10
}

// quantiles finds the supported quantiles of some counts, taking the values of a bucket as evenly
// spread over its width; all are NaN if there are no values.
func quantiles(counts *bucketCounts) []float64 {
	found := make([]float64, len(supported))
	total := uint64(0)
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		for i := range found {
			found[i] = math.NaN()
		}
		return found
	}
	bucket := nextFilled(counts, 0)
	below := uint64(0) // values in the buckets before this one
	for i, q := range supported {
		rank := q * float64(total)
		for float64(below+counts[bucket]) < rank {
			next := nextFilled(counts, bucket+1)
			if next == buckets {
				break // rank is above total by rounding
			}
			below += counts[bucket]
			bucket = next
		}
		left, width := bounds(bucket)
		share := (rank - float64(below)) / float64(counts[bucket])
		found[i] = left + min(share, 1)*width
	}
	return found
}

// nextFilled is the first bucket from start on that holds a value; the number of buckets if none
// does.
func nextFilled(counts *bucketCounts, start int) int {
	for start < buckets && counts[start] == 0 {
		start++
	}
	return start
}
