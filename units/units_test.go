package units

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestMulRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		what    string
		factors []int64
		want    int64
		err     error
	}{
		{"no factors", nil, 1, nil},
		{"a product", []int64{128, 9216, 4096}, 128 * 9216 * 4096, nil},
		{"the largest", []int64{math.MaxInt64, 1}, math.MaxInt64, nil},
		{"one too large", []int64{1 << 62, 2}, 0, ErrOverflow},
		{"a product that wraps to a small number", []int64{1 << 32, 1 << 32, 3}, 0, ErrOverflow},
		{"a zero after an overflow", []int64{1 << 62, 4, 0}, 0, nil},
		{"a zero before", []int64{0, 1 << 62, 4}, 0, nil},
	} {
		got, err := Mul(c.factors...)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v; want %d, %v", c.what, got, err, c.want, c.err)
		}
	}
	if _, err := Mul(Words(3), Words(-1)); err == nil || err.Error() != "negative factor -1" {
		t.Errorf("negative factor: %v", err)
	}
}

func TestMulEqualsBigMul(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		factors := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 0, 4).Draw(r, "factors")
		want := big.NewInt(1)
		for _, f := range factors {
			want.Mul(want, big.NewInt(f))
		}
		got, err := Mul(factors...)
		switch {
		case want.IsInt64() && (err != nil || got != want.Int64()):
			r.Errorf("%v: %d, %v; want %v", factors, got, err, want)
		case !want.IsInt64() && !errors.Is(err, ErrOverflow):
			r.Errorf("%v: %d, %v; want overflow", factors, got, err)
		}
	})
}

func TestAddRefusesWhatDoesNotFit(t *testing.T) {
	if got, err := Add[Words](math.MaxInt64-1, 1); got != math.MaxInt64 || err != nil {
		t.Errorf("largest sum: %d, %v", got, err)
	}
	if _, err := Add[Words](math.MaxInt64, 1); !errors.Is(err, ErrOverflow) {
		t.Errorf("one more: %v", err)
	}
}

func TestConversions(t *testing.T) {
	if got := Words(3).Bytes(); got != 12 {
		t.Errorf("3 words are %d bytes", got)
	}
	if got := (1200 * MHz).Period(); got != 833 {
		t.Errorf("period of 1200 MHz is %d ps, want 833", got)
	}
	if got := (3 * GHz).Period(); got != 333 {
		t.Errorf("period of 3 GHz is %d ps, want 333", got)
	}
	if got := (2 * Second).Seconds(); got != 2 {
		t.Errorf("2 s are %v s", got)
	}
	if got := Picojoules(5e12).Joules(); math.Abs(got-5) > 1e-12 {
		t.Errorf("5e12 pJ are %v J", got)
	}
	for _, c := range []struct{ a, b, want int }{{0, 8, 0}, {1, 8, 1}, {8, 8, 1}, {9, 8, 2}} {
		if got := CeilDiv(c.a, c.b); got != c.want {
			t.Errorf("%d/%d rounded up is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
