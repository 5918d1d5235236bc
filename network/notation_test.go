package network

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/units"
)

var small = Shape{2, 8, 8}

func parse(t *testing.T, layers string) *Network {
	t.Helper()
	n, err := Parse(layers, small, Event)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// describe prints each layer as kind, input, output, and what follows it.
func describe(n *Network) []string {
	var list []string
	for _, l := range n.Layers {
		s := fmt.Sprintf("%d %s %v>%v", l.Index, l.Label(), l.First().In, l.Out)
		if l.BatchNorm {
			s += " BN"
		}
		if l.Adds() {
			s += fmt.Sprintf(" +%d", l.Add)
		}
		if l.HasPool() {
			s += fmt.Sprintf(" pool>%v", l.Pooled)
		}
		list = append(list, s)
	}
	return list
}

func TestNotation(t *testing.T) {
	for _, c := range []struct {
		layers string // before the classifier, on 2x8x8
		want   []string
	}{
		{"6C3", []string{"1 conv 2x8x8>6x8x8"}},
		{"6C5", []string{"1 conv 2x8x8>6x8x8"}},     // padding (kernel-1)/2
		{"6C4", []string{"1 conv 2x8x8>6x7x7"}},     // of an even kernel too
		{"6C5p0", []string{"1 conv 2x8x8>6x4x4"}},   // p
		{"6C3s2", []string{"1 conv 2x8x8>6x4x4"}},   // s
		{"6C3p0s3", []string{"1 conv 2x8x8>6x2x2"}}, // p and s
		{"6C1p2", []string{"1 conv 2x8x8>6x12x12"}}, // padding beyond the kernel
		{" 6C3 ", []string{"1 conv 2x8x8>6x8x8"}},   // spaces
		{"12FC", []string{"1 fc 2x8x8>12x1x1"}},     // flattens
		{"12FC-3C1", []string{"1 fc 2x8x8>12x1x1", "2 conv 12x1x1>3x1x1"}},
		{"6C3p0x2", []string{"1 conv 2x8x8>6x6x6", "2 conv 6x6x6>6x4x4"}},
		{"6C3p0s2x2", []string{"1 conv 2x8x8>6x3x3", "2 conv 6x3x3>6x1x1"}},
		{"6FCx3", []string{"1 fc 2x8x8>6x1x1", "2 fc 6x1x1>6x1x1", "3 fc 6x1x1>6x1x1"}},
		{"6C3-6AP3", []string{"1 conv 2x8x8>6x8x8 pool>6x2x2"}}, // a remainder is dropped
		{"6C3-6AP8", []string{"1 conv 2x8x8>6x8x8 pool>6x1x1"}},
		{"6C3-AdaptiveAP", []string{"1 conv 2x8x8>6x8x8 pool>6x1x1"}},
		{"6C3-BN-6AP2", []string{"1 conv 2x8x8>6x8x8 BN pool>6x4x4"}},
		{"2RB", []string{"1 conv 2x8x8>2x8x8", "2 conv 2x8x8>2x8x8 +0"}}, // identity of the input
		{"3RB", []string{"1 conv 2x8x8>3x4x4", "2 conv 3x4x4>3x4x4", "3 shortcut 2x8x8>3x4x4 +2"}},
		{"3C3-3RBx2-AdaptiveAP", []string{
			"1 conv 2x8x8>3x8x8", "2 conv 3x8x8>3x8x8", "3 conv 3x8x8>3x8x8 +1",
			"4 conv 3x8x8>3x8x8", "5 conv 3x8x8>3x8x8 +3 pool>3x1x1",
		}},
		{"5RBx2", []string{
			"1 conv 2x8x8>5x4x4", "2 conv 5x4x4>5x4x4", "3 shortcut 2x8x8>5x4x4 +2",
			"4 conv 5x4x4>5x4x4", "5 conv 5x4x4>5x4x4 +3",
		}},
	} {
		if diff := cmp.Diff(c.want, describe(parse(t, c.layers+"-10FC"))); diff != "" {
			t.Errorf("%s, want -, got +:\n%s", c.layers, diff)
		}
	}
}

func TestBatchNormCoversTheWholeTokenBeforeIt(t *testing.T) {
	for _, c := range []struct {
		layers string
		want   string // one letter a layer
	}{
		{"3C3-BN-4C3", "B-"},
		{"3C3-4C3-BN", "-B"},
		{"4C3-4C3x3-BN-4C3", "-BBB-"},
		{"6FCx2-BN-6FC", "BB-"},
		{"3C3-3RB-BN-3C3", "-BB-"},  // both convolutions
		{"3C3-5RB-BN-3C3", "-BBB-"}, // and the shortcut
		{"3C3-5RBx2-BN-5RB", "-BBBBB--"},
		{"3C3-BN-5RB-5RB-BN", "B---BB"},
		{"3C3-BN-3AP2-3C3", "B-"},
	} {
		got := ""
		for _, l := range parse(t, c.layers+"-10FC").Layers {
			if l.BatchNorm {
				got += "B"
			} else {
				got += "-"
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.layers, got, c.want)
		}
	}
}

func TestWhatOthersReadOtherwiseIsNamed(t *testing.T) {
	const want = `layers: token 2 "8C1x3" is 3 layers with 1x1 kernels; for a 1x3 kernel write a list of layers with conv: {out: 8, kernel: [1, 3]}`
	for text, want := range map[string]string{"4C3-8C1x3-5FC": want, "4C3x3-5FC": "", "8C1-5FC": "", "6FCx3-5FC": ""} {
		if got := parse(t, text).Misreadable(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// The last of FCx3 is the classifier: it has no number and no batch norm.
func TestLastRepeatIsTheClassifier(t *testing.T) {
	n := parse(t, "7FCx3")
	if n.N() != 2 || n.Classes != 7 {
		t.Errorf("%d layers and %d classes", n.N(), n.Classes)
	}
}

func TestResidualBlockIsReadAfterItsAddition(t *testing.T) {
	n := parse(t, "3C3-3RB-5RB-5C3-10FC")
	var got []string
	for _, l := range n.Layers {
		got = append(got, fmt.Sprintf("%d reads %d max %d bits %d", l.Index, l.First().From, l.MaxValue, l.ValueBits()))
	}
	want := []string{
		"1 reads 0 max 1 bits 1",
		"2 reads 1 max 1 bits 1",
		"3 reads 2 max 2 bits 2", // spike + identity
		"4 reads 3 max 1 bits 1",
		"5 reads 4 max 1 bits 1",
		"6 reads 3 max 2 bits 2", // the shortcut reads what the block reads
		"7 reads 6 max 1 bits 1", // the block's output is its last layer's
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{4, 6}, n.Consumers(3)); diff != "" {
		t.Error("readers of layer 3:", diff)
	}
	if got := n.OutputOf(InputLayer); got != small {
		t.Errorf("input is %v", got)
	}
}

func TestIdentitiesAddUp(t *testing.T) {
	n := parse(t, "3C3-3RBx7-10FC")
	if l := n.Layer(n.N()); l.MaxValue != 8 || l.ValueBits() != 4 {
		t.Errorf("after seven additions of spikes the largest value is %d in %d bits, want 8 in 4", l.MaxValue, l.ValueBits())
	}
	pooled := parse(t, "3C3-3RBx7-AdaptiveAP-10FC")
	if l := pooled.Layer(pooled.N()); l.MaxValue != 1 {
		t.Errorf("pooling neurons spike, but the largest value is %d", l.MaxValue)
	}
}

func TestNotationErrors(t *testing.T) {
	const form = ` is not a layer; write <out>C<kernel>[p<pad>][s<stride>][x<repeats>], <ch>AP<window>, <out>RB[x<repeats>], <out>FC[x<repeats>], BN or AdaptiveAP`
	const empty = ` is empty; write layers such as 96C3, 256AP2, 32RB, BN, AdaptiveAP or 10FC, joined by '-'`
	for _, c := range []struct{ layers, want string }{
		{"", `no layers; write something like 6C5-6AP2-10FC`},
		{"  ", `no layers; write something like 6C5-6AP2-10FC`},
		{"3FC", `layers "3FC" have no trainable layer before the classifier; add one, such as 128FC-3FC`},
		{"3FC-", `token 2 ""` + empty},
		{"-3FC", `token 1 ""` + empty},
		{"3FC--2FC", `token 2 ""` + empty},
		{"3fc-2FC", `token 1 "3fc"` + form},
		{"C3-2FC", `token 1 "C3"` + form},
		{"3C3x2s2-2FC", `token 1 "3C3x2s2"` + form}, // p, s, x in this order
		{"3C3s2p1-2FC", `token 1 "3C3s2p1"` + form},
		{"3C3.5-2FC", `token 1 "3C3.5"` + form},
		{"3BN-2FC", `token 1 "3BN"` + form},
		{"3C3-RB-2FC", `token 2 "RB"` + form},
		{"3C3-AdaptiveAPx2-2FC", `token 2 "AdaptiveAPx2"` + form},
		{"3C-2FC", `token 1 "3C" has no kernel size; write 3C3`},
		{"3C3-3AP-2FC", `token 2 "3AP" has no window; write 3AP2`},
		{"3FC2-2FC", `token 1 "3FC2" has a kernel size; write 3FC`},
		{"3RB3-2FC", `token 1 "3RB3" has a kernel size; write 3RB`},
		{"0C3-2FC", `token 1 "0C3" has a zero width; it must be at least 1`},
		{"3C0-2FC", `token 1 "3C0" has a zero kernel or window; it must be at least 1`},
		{"3C3s0-2FC", `token 1 "3C3s0" has a zero stride; it must be at least 1`},
		{"3C3x0-2FC", `token 1 "3C3x0" has a zero repeat count; it must be at least 1`},
		{"3FCp1-2FC", `token 1 "3FCp1" has padding or stride; only C takes p and s`},
		{"3RBs2-2FC", `token 1 "3RBs2" has padding or stride; only C takes p and s`},
		{"3C3-3AP2p1-2FC", `token 2 "3AP2p1" has padding or stride; only C takes p and s`},
		{"3C3-3AP2x2-2FC", `token 2 "3AP2x2" has repeats; only C, RB and FC take x`},
		{"BN-2FC", `token 1 "BN" needs a C, RB or FC directly before it`},
		{"3FC-BN-BN-2FC", `token 3 "BN" needs a C, RB or FC directly before it`},
		{"3C3-3AP2-BN-2FC", `token 3 "BN" needs a C, RB or FC directly before it`},
		{"3FC-BN", `token 2 "BN" is last; the last layer must be the classifier, such as 10FC`},
		{"3FC-2C3", `token 2 "2C3" is last; the last layer must be the classifier, such as 10FC`},
		{"3C3-3AP2-3AP2-2FC", `token 3 "3AP2" needs a trainable layer, and no other pooling, directly before it`},
		{"3C3-AdaptiveAP-AdaptiveAP-2FC", `token 3 "AdaptiveAP" needs a trainable layer, and no other pooling, directly before it`},
		{"2AP2-2FC", `token 1 "2AP2" needs a trainable layer, and no other pooling, directly before it`},
		{"AdaptiveAP-2FC", `token 1 "AdaptiveAP" needs a trainable layer, and no other pooling, directly before it`},
		{"3C3-4AP2-2FC", `token 2 "4AP2" pools 4 channels but its input has 3; write 3AP2`},
		{"3C3-3AP9-2FC", `token 2 "3AP9" has a 9x9 window, larger than its input 3x8x8`},
		{"3FC-3AP2-2FC", `token 2 "3AP2" has a 2x2 window, larger than its input 3x1x1`},
		{"3C9p0-2FC", `token 1 "3C9p0" has a 9x9 kernel, larger than its input 2x8x8 with padding 0`},
		{"99999999999C3-2FC", `token 1 "99999999999C3" has a width beyond 2147483647`},
		{"99999999999999999999C3-2FC", `token 1 "99999999999999999999C3" has a width beyond 2147483647`},
		{"3C3p2147483648-2FC", `token 1 "3C3p2147483648" has a padding beyond 2147483647`},
		{"3C3x9999-2FC", `token 1 "3C3x9999" unrolls to more than 10000 layers`},
		{"3FCx2147483647-2FC", `token 1 "3FCx2147483647" unrolls to more than 10000 layers`},
		{"3FC-3FCx2147483647", `token 2 "3FCx2147483647" unrolls to more than 10000 layers`},
	} {
		if _, err := Parse(c.layers, small, Event); err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.layers, err, c.want)
		}
	}
}

func TestSizesThatOverflowAreRefused(t *testing.T) {
	const m = "2147483647"
	for _, layers := range []string{
		m + "C1-" + m + "C3p" + m + "-2FC",       // padded input
		m + "C1p1000000-" + m + "C1p1000000-2FC", // weights times positions
		m + "C1p1000000-" + m + "FC-2FC",         // weights of an FC
		m + "C1p1000000-" + m + "FC",             // classifier
		m + "RBx2-2FC",                           // residual block
		"3C1p" + m + "s1-2FC",                    // positions
	} {
		if _, err := Parse(layers, small, Event); err == nil || !strings.Contains(err.Error(), units.ErrOverflow.Error()) {
			t.Errorf("%s: %v", layers, err)
		}
	}
	if _, err := Parse("3FC-2FC", Shape{1 << 30, 1 << 30, 1 << 30}, Event); !errors.Is(err, units.ErrOverflow) {
		t.Errorf("input: %v", err)
	}
	if _, err := Parse(m+"FC-"+m+"FC-3FC", small, Event); err != nil {
		t.Errorf("2^62 weights fit in 63 bits: %v", err)
	}
}

func TestInputErrors(t *testing.T) {
	for _, c := range []struct {
		input Shape
		e     Encoding
		text  string
		want  string
	}{
		{Shape{0, 8, 8}, Event, "3FC-2FC", "input channels is 0; it must be between 1 and 2147483647"},
		{Shape{1, -8, 8}, Event, "3FC-2FC", "input height is -8; it must be between 1 and 2147483647"},
		{Shape{1, 8, math.MinInt32}, Event, "3FC-2FC", "input width is -2147483648; it must be between 1 and 2147483647"},
		{small, "", "3FC-2FC", `encoding ""; write event or direct`},
		{small, Direct, "2RB-2FC", `token 1 "2RB" adds directly encoded input to spikes; put a layer before it or use another width`},
	} {
		if _, err := Parse(c.text, c.input, c.e); err == nil || err.Error() != c.want {
			t.Errorf("%v %s: %v, want %s", c.input, c.text, err, c.want)
		}
	}
	if _, err := Parse("3RB-2FC", small, Direct); err != nil {
		t.Errorf("a shortcut convolution may read directly encoded input: %v", err)
	}
}

// windows counts by sliding: positions where a window of the given size lies
// wholly within an extent padded on both sides.
func windows(extent, size, pad, stride int) int {
	n := 0
	for at := -pad; at+size <= extent+pad; at += stride {
		n++
	}
	return n
}

func TestGeometryEqualsASlidingWindow(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		input := Shape{1, rapid.IntRange(1, 20).Draw(r, "height"), rapid.IntRange(1, 20).Draw(r, "width")}
		kernel, pad := rapid.IntRange(1, 9).Draw(r, "kernel"), rapid.IntRange(0, 5).Draw(r, "pad")
		stride, pool := rapid.IntRange(1, 5).Draw(r, "stride"), rapid.IntRange(1, 5).Draw(r, "pool")
		height, width := windows(input.Height, kernel, pad, stride), windows(input.Width, kernel, pad, stride)
		pooledHeight, pooledWidth := windows(height, pool, 0, pool), windows(width, pool, 0, pool)

		n, err := Parse(fmt.Sprintf("2C%dp%ds%d-2AP%d-3FC", kernel, pad, stride, pool), input, Event)
		if pooledHeight == 0 || pooledWidth == 0 {
			if err == nil {
				r.Errorf("no window fits, but it was accepted")
			}
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		l := n.Layer(1)
		if want := (Shape{2, height, width}); l.Out != want {
			r.Errorf("output %v, want %v", l.Out, want)
		}
		if want := (Shape{2, pooledHeight, pooledWidth}); l.Pooled != want {
			r.Errorf("pooled %v, want %v", l.Pooled, want)
		}
	})
}

// Canonical text parses to the same tokens.
func TestTokensPrintWhatTheyParse(t *testing.T) {
	const text = "6C5p0s2x3-BN-6AP2-16C3-32RBx2-32RB-AdaptiveAP-7FCx2-10FC"
	tokens, err := scan(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tk := range tokens {
		got = append(got, tk.String())
	}
	if strings.Join(got, "-") != text {
		t.Errorf("%s became %s", text, strings.Join(got, "-"))
	}
}

func TestLongNotationIsFast(t *testing.T) {
	start := time.Now()
	if n := parse(t, strings.Repeat("3FC-BN-", 9000)+"2FC"); n.N() != 9000 {
		t.Errorf("%d layers", n.N())
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Nets() {
		w, err := Open(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(w.Net.Text)
	}
	f.Add("3C3p2147483647x3-3FC")
	f.Add("2RBx3000-AdaptiveAP-2FCx2")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text, small, Event)
		if err != nil {
			return
		}
		if n.N() < 1 || n.N() > maxLayers || n.Classes < 1 {
			t.Fatalf("%q: %d layers, %d classes", text, n.N(), n.Classes)
		}
		for i, l := range n.Layers {
			if l.Index != i+1 || l.First().From >= l.Index || n.OutputOf(l.First().From) != l.First().In {
				t.Errorf("%q: layer %d reads %d of %v as %v", text, l.Index, l.First().From, n.OutputOf(l.First().From), l.First().In)
			}
			if l.Weights() < 1 || l.Neurons() < 1 || l.DenseAdditions() < 1 {
				t.Errorf("%q: layer %d has %d weights, %d neurons", text, l.Index, l.Weights(), l.Neurons())
			}
		}
	})
}
