package cache_test

import (
	"testing"

	"github.com/casehook/casehook/internal/cache"
)

func TestACacheIsBoundedByNumberAndSize(t *testing.T) {
	t.Parallel()
	c := cache.New[int, string](3, 10)
	there := func() (all int) {
		for key := range 10 {
			if _, ok := c.Get(key); ok {
				all++
			}
		}
		return all
	}
	for key, want := range []int{1, 2, 3, 1} {
		if c.Put(key, "a", 1); there() != want {
			t.Errorf("after %d values there are %d, want %d", key+1, there(), want)
		}
	}
	if c.Put(4, "b", 9); there() != 2 {
		t.Errorf("values of size 10 don't fit: there are %d", there())
	}
	for range 3 { // of one key, by several who have made the same
		c.Put(4, "c", 9)
	}
	if v, _ := c.Get(4); v != "b" || there() != 2 {
		t.Errorf("%q is kept, of %d values", v, there())
	}
	if c.Put(5, "d", 1); there() != 1 {
		t.Errorf("one more than fits leaves %d", there())
	}
}
