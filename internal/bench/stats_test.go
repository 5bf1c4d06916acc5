package bench

import (
	"math"
	"testing"
	"time"
)

func TestTheMedianIsInTheMiddle(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{9, 1, 5, 2}, 3.5},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("the median of %v is %v, want %v", test.values, got, test.want)
		}
	}
	values := []float64{3, 1, 2}
	if median(values); values[0] != 3 {
		t.Error("the median sorts the values of its caller")
	}
}

func TestAPercentileIsAValueThatWasMeasured(t *testing.T) {
	var hundred []time.Duration
	for n := 100; n > 0; n-- {
		hundred = append(hundred, time.Duration(n))
	}
	for _, test := range []struct {
		of   []time.Duration
		part float64
		want time.Duration
	}{
		{nil, 0.99, 0},
		{[]time.Duration{4}, 0.5, 4},
		{[]time.Duration{4}, 0.99, 4},
		{[]time.Duration{4, 2}, 0.5, 2},
		{[]time.Duration{4, 2, 9}, 0.5, 4},
		{hundred, 0, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.991, 100},
		{hundred, 1, 100},
	} {
		if got := percentile(test.of, test.part); got != test.want {
			t.Errorf("%v of %d values: %d, want %d", test.part, len(test.of), got, test.want)
		}
	}
}

func TestAResultClaimsFourDigits(t *testing.T) {
	for value, want := range map[float64]float64{
		0: 0, 1: 1, 0.123456: 0.1235, 98765.4: 98770, -1.00004: -1, 1e-9: 1e-9, math.Inf(1): 0,
	} {
		if got := rounded(value); got != want {
			t.Errorf("%v becomes %v, want %v", value, got, want)
		}
	}
	if got := rounded(math.NaN()); got != 0 {
		t.Errorf("NaN, which JSON does not have, becomes %v", got)
	}
	if got := number(rounded(1_234_567)); got != "1235000" {
		t.Errorf("a number is shown as %s", got)
	}
}

func TestTheBestConcurrencyIsTheSmallestOfEqualOnes(t *testing.T) {
	for range 20 { // maps have no order
		if got := bestBy(map[int]float64{16: 7, 64: 9, 256: 9}); got != 64 {
			t.Fatalf("the best is %d, want 64", got)
		}
	}
}
