package network

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/units"
)

func open(t *testing.T, name string) *Workload {
	t.Helper()
	w, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Table 2 and PAPER.md: |W^n|, |U^n| of one sample, and M^n.
func TestGeometryOfTheFiveNetworks(t *testing.T) {
	type sizes struct {
		W, U units.Words
		M    int64
	}
	for _, c := range []struct {
		net     string
		classes int
		want    []sizes
	}{
		{"lenet1", 47, []sizes{ // 28-14-10-5-1
			{6 * 25, 6 * 28 * 28, 6 * 25 * 28 * 28},
			{6 * 16 * 25, 16 * 10 * 10, 6 * 16 * 25 * 10 * 10},
			{16 * 120 * 25, 120, 16 * 120 * 25},
			{120 * 128, 128, 120 * 128},
		}},
		{"lenet2", 11, []sizes{
			{2 * 64 * 25, 64 * 32 * 32, 2 * 64 * 25 * 32 * 32},
			{64 * 128 * 25, 128 * 12 * 12, 64 * 128 * 25 * 12 * 12},
			{128 * 128 * 25, 128 * 2 * 2, 128 * 128 * 25 * 2 * 2},
			{512 * 256, 256, 512 * 256},
		}},
		{"alexnet", 10, []sizes{
			{2 * 96 * 9, 96 * 32 * 32, 2 * 96 * 9 * 32 * 32},
			{96 * 256 * 9, 256 * 32 * 32, 96 * 256 * 9 * 32 * 32},
			{256 * 384 * 9, 384 * 16 * 16, 256 * 384 * 9 * 16 * 16},
			{384 * 512 * 9, 512 * 6 * 6, 384 * 512 * 9 * 6 * 6}, // unpadded
			{512 * 384 * 9, 384 * 6 * 6, 512 * 384 * 9 * 6 * 6},
			{384 * 256 * 9, 256 * 6 * 6, 384 * 256 * 9 * 6 * 6},
			{9216 * 4096, 4096, 9216 * 4096}, // as in the original AlexNet
			{4096 * 1024, 1024, 4096 * 1024},
		}},
		{"vgg11", 101, []sizes{
			{2 * 32 * 9, 32 * 64 * 64, 2 * 32 * 9 * 64 * 64},
			{32 * 64 * 9, 64 * 32 * 32, 32 * 64 * 9 * 32 * 32},
			{64 * 128 * 9, 128 * 16 * 16, 64 * 128 * 9 * 16 * 16},
			{128 * 128 * 9, 128 * 16 * 16, 128 * 128 * 9 * 16 * 16},
			{128 * 256 * 9, 256 * 8 * 8, 128 * 256 * 9 * 8 * 8},
			{256 * 256 * 9, 256 * 8 * 8, 256 * 256 * 9 * 8 * 8},
			{256 * 512 * 9, 512 * 4 * 4, 256 * 512 * 9 * 4 * 4},
			{512 * 512 * 9, 512 * 4 * 4, 512 * 512 * 9 * 4 * 4},
			{512 * 2 * 2 * 1024, 1024, 512 * 2 * 2 * 1024},
			{1024 * 1024, 1024, 1024 * 1024},
		}},
		{"resnet18", 200, []sizes{
			{2 * 32 * 9, 32 * 64 * 64, 2 * 32 * 9 * 64 * 64},
			{32 * 32 * 9, 32 * 64 * 64, 32 * 32 * 9 * 64 * 64},
			{32 * 32 * 9, 32 * 64 * 64, 32 * 32 * 9 * 64 * 64},
			{32 * 32 * 9, 32 * 64 * 64, 32 * 32 * 9 * 64 * 64},
			{32 * 32 * 9, 32 * 64 * 64, 32 * 32 * 9 * 64 * 64},
			{32 * 64 * 9, 64 * 32 * 32, 32 * 64 * 9 * 32 * 32},
			{64 * 64 * 9, 64 * 32 * 32, 64 * 64 * 9 * 32 * 32},
			{32 * 64, 64 * 32 * 32, 32 * 64 * 32 * 32}, // shortcut
			{64 * 64 * 9, 64 * 32 * 32, 64 * 64 * 9 * 32 * 32},
			{64 * 64 * 9, 64 * 32 * 32, 64 * 64 * 9 * 32 * 32},
			{64 * 128 * 9, 128 * 16 * 16, 64 * 128 * 9 * 16 * 16},
			{128 * 128 * 9, 128 * 16 * 16, 128 * 128 * 9 * 16 * 16},
			{64 * 128, 128 * 16 * 16, 64 * 128 * 16 * 16}, // shortcut
			{128 * 128 * 9, 128 * 16 * 16, 128 * 128 * 9 * 16 * 16},
			{128 * 128 * 9, 128 * 16 * 16, 128 * 128 * 9 * 16 * 16},
			{128 * 256 * 9, 256 * 8 * 8, 128 * 256 * 9 * 8 * 8},
			{256 * 256 * 9, 256 * 8 * 8, 256 * 256 * 9 * 8 * 8},
			{128 * 256, 256 * 8 * 8, 128 * 256 * 8 * 8}, // shortcut
			{256 * 256 * 9, 256 * 8 * 8, 256 * 256 * 9 * 8 * 8},
			{256 * 256 * 9, 256 * 8 * 8, 256 * 256 * 9 * 8 * 8},
		}},
	} {
		net := open(t, c.net).Net
		var got []sizes
		for _, l := range net.Layers {
			got = append(got, sizes{l.Weights(), l.Neurons(), l.DenseAdditions()})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, want -, got +:\n%s", c.net, diff)
		}
		if net.Classes != c.classes {
			t.Errorf("%s has %d classes, want %d", c.net, net.Classes, c.classes)
		}
	}
}

func TestBatchNormOfTheFiveNetworks(t *testing.T) {
	for net, want := range map[string]bool{"lenet1": false, "lenet2": false, "alexnet": false, "vgg11": true, "resnet18": true} {
		for _, l := range open(t, net).Net.Layers {
			if l.BatchNorm != want {
				t.Errorf("%s: batch norm on layer %d is %v", net, l.Index, l.BatchNorm)
			}
		}
	}
}

func TestClassifiersReadAfterPooling(t *testing.T) {
	net := open(t, "lenet1").Net
	blocks, err := net.Blocks(1)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, b := range blocks {
		got = append(got, net.ClassifierInputs(b))
	}
	if diff := cmp.Diff([]int{6 * 14 * 14, 16 * 5 * 5, 120, 128}, got); diff != "" {
		t.Error(diff)
	}
	if got := net.ClassifierWeights(blocks[0]); got != 6*14*14*47 {
		t.Errorf("|W_c| of block 1 is %d", got)
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		net  string
		n    int
		want string
	}{
		{"lenet1", 1, "[1] [2] [3] [4]"},
		{"lenet1", 3, "[1 2 3] [4]"}, // the last may be shorter
		{"lenet1", 4, "[1 2 3 4]"},
		// A boundary inside a residual block moves to its end.
		{"resnet18", 1, "[1] [2 3] [4 5] [6 7 8] [9 10] [11 12 13] [14 15] [16 17 18] [19 20]"},
		{"resnet18", 3, "[1 2 3] [4 5 6 7 8] [9 10 11 12 13] [14 15 16 17 18] [19 20]"},
		{"resnet18", 20, "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20]"},
	} {
		blocks, err := open(t, c.net).Net.Blocks(c.n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, b := range blocks {
			if b.Index != i+1 {
				t.Errorf("%s, n = %d: block %d is numbered %d", c.net, c.n, i+1, b.Index)
			}
			got = append(got, fmt.Sprint(b.Layers()))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s, n = %d:\n got %s\nwant %s", c.net, c.n, strings.Join(got, " "), c.want)
		}
	}
	for _, n := range []int{-1, 0, 5} {
		want := fmt.Sprintf("n = %d is out of range; a local block of this network has 1 to 4 layers", n)
		if _, err := open(t, "lenet1").Net.Blocks(n); err == nil || err.Error() != want {
			t.Errorf("n = %d: %v", n, err)
		}
	}
}

// W^(n+1) of Eqs. 12, 14 and 17: errors pass down through these layers.
func TestInside(t *testing.T) {
	for _, c := range []struct {
		net  string
		n    int
		want string // of all blocks
	}{
		{"lenet1", 1, ""},
		{"lenet1", 2, "2 4"},
		{"lenet1", 4, "2 3 4"},
		// Neither the first convolution nor the shortcut (8, 13, 18) of a
		// residual block that opens a local block.
		{"resnet18", 1, "3 5 7 10 12 15 17 20"},
		{"resnet18", 3, "2 3 5 6 7 8 10 11 12 13 15 16 17 18 20"},
	} {
		net := open(t, c.net).Net
		blocks, err := net.Blocks(c.n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range blocks {
			for _, l := range b.Layers() {
				if b.Inside(*net.Layer(l).First()) {
					got = append(got, fmt.Sprint(l))
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s, n = %d: %v, want %s", c.net, c.n, got, c.want)
		}
	}
}

func TestShape(t *testing.T) {
	s := Shape{3, 4, 5}
	if s.Size() != 60 || s.Positions() != 20 || s.String() != "3x4x5" {
		t.Errorf("%v has %d values at %d positions", s, s.Size(), s.Positions())
	}
}
