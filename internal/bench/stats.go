package bench

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// median returns the middle of some values, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// percentile returns the smallest of some durations that is not below the given part of them, such as 0.99;
// 0 of none.
func percentile(of []time.Duration, part float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	rank := int(math.Ceil(part * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quotient returns a/b, and 0 where b is 0, because JSON has no infinity.
func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// rounded keeps four digits, so that a result claims no precision that it does not have.
func rounded(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	kept, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64) // reads what it has written
	return kept
}

// medianOf returns the median of a property of some rounds.
func medianOf[T any](rounds []T, property func(T) float64) float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = property(r)
	}
	return median(values)
}

// bestBy returns the key with the highest value; of equal ones the smallest.
func bestBy[K cmp.Ordered](values map[K]float64) (best K) {
	found := false
	for key, value := range values {
		if !found || value > values[best] || value == values[best] && key < best {
			best, found = key, true
		}
	}
	return best
}
