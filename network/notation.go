package network

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/units"
)

// token is one element of the Table 2 notation.
type token struct {
	kind    string // C, AP, FC, RB, BN, AdaptiveAP
	text    string // as written
	number  int    // output channels, or neurons
	size    int    // kernel or window
	pad     int    // -1: (kernel-1)/2
	stride  int
	repeats int
}

// String prints the token in canonical form.
func (t token) String() string {
	switch t.kind {
	case "BN", "AdaptiveAP":
		return t.kind
	}
	s := strconv.Itoa(t.number) + t.kind
	if t.size > 0 {
		s += strconv.Itoa(t.size)
	}
	return s + suffix("p", t.pad, -1) + suffix("s", t.stride, 1) + suffix("x", t.repeats, 1)
}

var tokenPattern = regexp.MustCompile(`^(\d+)(C|AP|FC|RB)(\d*)(?:p(\d+))?(?:s(\d+))?(?:x(\d+))?$`)

// maxNumber bounds every number of the notation; products are checked apart.
const maxNumber = math.MaxInt32

// maxLayers bounds the layers that repeats may unroll to.
const maxLayers = 10_000

// tokenError points at the token of a layers text that is wrong.
func tokenError(position int, text, format string, args ...any) error {
	return fmt.Errorf("token %d %q %s", position+1, text, fmt.Sprintf(format, args...))
}

// scan splits a layers text into tokens.
func scan(text string) ([]token, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("no layers; write something like 6C5-6AP2-10FC")
	}
	var tokens []token
	for i, field := range strings.Split(text, "-") {
		field = strings.TrimSpace(field)
		t, err := scanToken(i, field)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

func scanToken(i int, field string) (token, error) {
	t := token{text: field, pad: -1, stride: 1, repeats: 1}
	switch field {
	case "BN", "AdaptiveAP":
		t.kind = field
		return t, nil
	case "":
		return t, tokenError(i, field, "is empty; write layers such as 96C3, 256AP2, 32RB, BN, AdaptiveAP or 10FC, joined by '-'")
	}
	m := tokenPattern.FindStringSubmatch(field)
	if m == nil {
		return t, tokenError(i, field, "is not a layer; write <out>C<kernel>[p<pad>][s<stride>][x<repeats>], <ch>AP<window>, <out>RB[x<repeats>], <out>FC[x<repeats>], BN or AdaptiveAP")
	}
	t.kind = m[2]
	for _, part := range []struct {
		text string
		to   *int
		name string
		zero bool
	}{
		{m[1], &t.number, "width", false},
		{m[3], &t.size, "kernel or window", false},
		{m[4], &t.pad, "padding", true},
		{m[5], &t.stride, "stride", false},
		{m[6], &t.repeats, "repeat count", false},
	} {
		if part.text == "" {
			continue
		}
		v, err := strconv.ParseInt(part.text, 10, 64)
		if err != nil || v > maxNumber {
			return t, tokenError(i, field, "has a %s beyond %d", part.name, maxNumber)
		}
		if v == 0 && !part.zero {
			return t, tokenError(i, field, "has a zero %s; it must be at least 1", part.name)
		}
		*part.to = int(v)
	}
	conv := t.kind == "C"
	switch {
	case conv && t.size == 0:
		return t, tokenError(i, field, "has no kernel size; write %dC3", t.number)
	case t.kind == "AP" && t.size == 0:
		return t, tokenError(i, field, "has no window; write %dAP2", t.number)
	case (t.kind == "FC" || t.kind == "RB") && t.size != 0:
		return t, tokenError(i, field, "has a kernel size; write %d%s", t.number, t.kind)
	case !conv && (m[4] != "" || m[5] != ""):
		return t, tokenError(i, field, "has padding or stride; only C takes p and s")
	case t.kind == "AP" && m[6] != "":
		return t, tokenError(i, field, "has repeats; only C, RB and FC take x")
	}
	return t, nil
}

// builder unrolls tokens into layers.
type builder struct {
	net   *Network
	at    int // token number, for messages
	text  string
	shape Shape
	value int // largest value of the current output
	last  int // layer whose output is current
	from  int // layers before the token that made the latest ones
}

// Parse reads layers in Table 2 notation for inputs of the given shape. The
// last token must be FC: it is the last block's classifier.
//
// Errors name the token that is wrong and say what would be accepted.
func Parse(text string, input Shape, e Encoding) (*Network, error) {
	if e != Event && e != Direct {
		return nil, fmt.Errorf("encoding %q; write event or direct", e)
	}
	for _, d := range []struct {
		name string
		v    int
	}{{"channels", input.Channels}, {"height", input.Height}, {"width", input.Width}} {
		if d.v < 1 || d.v > maxNumber {
			return nil, fmt.Errorf("input %s is %d; it must be between 1 and %d", d.name, d.v, maxNumber)
		}
	}
	if _, err := units.Mul(input.Channels, input.Height, input.Width); err != nil {
		return nil, fmt.Errorf("input %v: %w", input, err)
	}
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	final := tokens[len(tokens)-1]
	if final.kind != "FC" {
		return nil, tokenError(len(tokens)-1, final.text, "is last; the last layer must be the classifier, such as 10FC")
	}
	b := &builder{net: &Network{Input: input, Encoding: e, Text: text}, shape: input, value: 1}
	for i, t := range tokens {
		b.at, b.text = i, t.text
		if i == len(tokens)-1 {
			b.net.Classes = t.number
			t.repeats-- // the last of them is the classifier
		}
		if err := b.add(t, tokens, i); err != nil {
			return nil, err
		}
	}
	if b.net.N() == 0 {
		return nil, fmt.Errorf("layers %q have no trainable layer before the classifier; add one, such as 128FC-%dFC", text, b.net.Classes)
	}
	if err := b.net.checkSizes(); err != nil {
		return nil, err
	}
	return b.net, nil
}

func (b *builder) fail(format string, args ...any) error {
	return tokenError(b.at, b.text, format, args...)
}

func (b *builder) add(t token, tokens []token, i int) error {
	if t.kind == "AP" || t.kind == "AdaptiveAP" || t.kind == "BN" {
		previous := ""
		if i > 0 {
			previous = tokens[i-1].kind
		}
		return b.modify(t, previous)
	}
	if len(b.net.Layers)+3*t.repeats > maxLayers {
		return b.fail("unrolls to more than %d layers", maxLayers)
	}
	b.from = len(b.net.Layers)
	for range t.repeats {
		var err error
		switch t.kind {
		case "C":
			pad := t.pad
			if pad < 0 {
				pad = (t.size - 1) / 2
			}
			err = b.conv(Conv, b.last, b.shape, t.number, t.size, pad, t.stride)
		case "FC":
			l := Layer{Kind: FC, In: b.shape, Out: Shape{t.number, 1, 1}, Stride: 1, Reads: b.last}
			b.push(l)
		case "RB":
			err = b.residual(t.number)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// push appends a layer whose spikes become the current output.
func (b *builder) push(l Layer) {
	l.Index = b.net.N() + 1
	l.Pooled, l.MaxValue = l.Out, 1
	b.net.Layers = append(b.net.Layers, l)
	b.shape, b.value, b.last = l.Out, 1, l.Index
}

func (b *builder) conv(kind Kind, reads int, in Shape, out, kernel, pad, stride int) error {
	padded, err := units.Mul(int64(in.Channels), int64(in.Height)+2*int64(pad), int64(in.Width)+2*int64(pad))
	if err != nil || padded > math.MaxInt/8 {
		return b.fail("on %v: %v", in, units.ErrOverflow)
	}
	if kernel > in.Height+2*pad || kernel > in.Width+2*pad {
		return b.fail("has a %dx%d kernel, larger than its input %v with padding %d", kernel, kernel, in, pad)
	}
	b.push(Layer{
		Kind: kind, In: in, Kernel: kernel, Stride: stride, Pad: pad, Reads: reads,
		Out: Shape{out, (in.Height+2*pad-kernel)/stride + 1, (in.Width+2*pad-kernel)/stride + 1},
	})
	return nil
}

// residual appends a spike-element-wise residual block: conv, conv, and a
// shortcut convolution where the width changes, with stride 2 there.
func (b *builder) residual(width int) error {
	from, in, value := b.last, b.shape, b.value
	identity := in.Channels == width
	stride := 2
	if identity {
		stride = 1
	}
	if identity && from == InputLayer && b.net.Encoding == Direct {
		return b.fail("adds directly encoded input to spikes; put a layer before it or use another width")
	}
	if err := b.conv(Conv, from, in, width, 3, 1, stride); err != nil {
		return err
	}
	if err := b.conv(Conv, b.last, b.shape, width, 3, 1, 1); err != nil {
		return err
	}
	join := Join{Conv: b.last, Skip: from, Identity: true}
	if !identity {
		if err := b.conv(Shortcut, from, in, width, 1, 0, stride); err != nil {
			return err
		}
		join, value = Join{Conv: b.last - 1, Skip: b.last}, 1
	}
	l := b.net.Layer(b.last)
	l.Join, l.MaxValue = &join, value+1
	b.value = l.MaxValue
	return nil
}

// modify applies a token that belongs to the layer before it.
func (b *builder) modify(t token, previous string) error {
	if t.kind == "BN" {
		if previous != "C" && previous != "RB" && previous != "FC" {
			return b.fail("needs a C, RB or FC directly before it")
		}
		// All layers that the token before it unrolled to.
		for i := b.from; i < len(b.net.Layers); i++ {
			b.net.Layers[i].BatchNorm = true
		}
		return nil
	}
	if previous == "" || previous == "AP" || previous == "AdaptiveAP" {
		return b.fail("needs a trainable layer, and no other pooling, directly before it")
	}
	window := Pool{t.size, t.size}
	if t.kind == "AdaptiveAP" {
		window = Pool{b.shape.Height, b.shape.Width}
	} else if t.number != b.shape.Channels {
		return b.fail("pools %d channels but its input has %d; write %dAP%d", t.number, b.shape.Channels, b.shape.Channels, t.size)
	}
	if window.Height > b.shape.Height || window.Width > b.shape.Width {
		return b.fail("has a %dx%d window, larger than its input %v", window.Height, window.Width, b.shape)
	}
	l := b.net.Layer(b.last)
	l.Pool = window
	l.Pooled = Shape{b.shape.Channels, b.shape.Height / window.Height, b.shape.Width / window.Width}
	l.MaxValue = 1 // pooling neurons spike
	b.shape, b.value = l.Pooled, 1
	return nil
}

// checkSizes refuses layers whose sizes do not fit in 63 bits.
func (n *Network) checkSizes() error {
	for i := range n.Layers {
		l := &n.Layers[i]
		kernel := max(l.Kernel, 1)
		fan := []int64{int64(l.In.Channels), int64(kernel), int64(kernel)}
		if l.Kind == FC {
			fan = []int64{int64(l.In.Channels), int64(l.In.Height), int64(l.In.Width)}
		}
		dense := append(fan, int64(l.Out.Channels), int64(l.Out.Height), int64(l.Out.Width))
		if _, err := units.Mul(dense...); err != nil {
			return fmt.Errorf("layer %d (%v to %v): %w", l.Index, l.In, l.Out, err)
		}
	}
	last := n.Layer(n.N()).Pooled
	if _, err := units.Mul(last.Channels, last.Height, last.Width, n.Classes); err != nil {
		return fmt.Errorf("classifier of %v to %d classes: %w", last, n.Classes, err)
	}
	return nil
}
