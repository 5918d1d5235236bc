package network

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
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

// origin is how errors call a token of a layers text.
func origin(position int, text string) string { return fmt.Sprintf("token %d %q", position+1, text) }

// tokenError points at the token of a layers text that is wrong.
func tokenError(position int, text, format string, args ...any) error {
	return fmt.Errorf("%s %s", origin(position, text), fmt.Sprintf(format, args...))
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

// Misreadable says which token of the notation other tools read otherwise: 128C1x3
// is three layers with 1x1 kernels here, and one with a 1x3 kernel elsewhere. It is
// "" if there is none.
func (n *Network) Misreadable() string {
	if !n.notation {
		return ""
	}
	tokens, err := scan(n.Text)
	if err != nil {
		return "" // not the text of a network that was built
	}
	for i, t := range tokens {
		if t.kind == "C" && t.size == 1 && t.repeats > 1 {
			return fmt.Sprintf("layers: %s is %d layers with 1x1 kernels; for a 1x%d kernel write a list of layers with conv: {out: %d, kernel: [1, %d]}",
				origin(i, t.text), t.repeats, t.repeats, t.number, t.repeats)
		}
	}
	return ""
}

func suffix(letter string, v, unless int) string {
	if v == unless {
		return ""
	}
	return letter + strconv.Itoa(v)
}

// Parse reads layers in Table 2 notation for inputs of the given shape. The
// last token must be FC: it is the last block's classifier.
//
// Errors name the token that is wrong and say what would be accepted.
func Parse(text string, input Shape, e Encoding) (*Network, error) {
	if err := checkInput(input, e); err != nil {
		return nil, err
	}
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	final := tokens[len(tokens)-1]
	if final.kind != "FC" {
		return nil, tokenError(len(tokens)-1, final.text, "is last; the last layer must be the classifier, such as 10FC")
	}
	u := &unroller{channels: input.Channels, encoding: e}
	for i, t := range tokens {
		u.origin = origin(i, t.text)
		previous := ""
		if i > 0 {
			previous = tokens[i-1].kind
		}
		if err := u.add(t, previous); err != nil {
			return nil, err
		}
	}
	n, err := Build(u.entries, text, input, e)
	if err != nil {
		return nil, err
	}
	n.notation = true
	return n, nil
}

// unroller makes entries of tokens.
type unroller struct {
	entries  []Entry
	origin   string // of the token, for messages
	from     int    // entries before the token that made the latest ones
	channels int    // of the current output
	encoding Encoding
	units    int
}

func (u *unroller) fail(format string, args ...any) error {
	return fmt.Errorf("%s %s", u.origin, fmt.Sprintf(format, args...))
}

func (u *unroller) add(t token, previous string) error {
	switch t.kind {
	case "AP", "AdaptiveAP":
		return u.pool(t, previous)
	case "BN":
		return u.norm(previous)
	}
	if len(u.entries)+3*t.repeats > maxLayers {
		return u.fail("unrolls to more than %d layers", maxLayers)
	}
	u.from = len(u.entries)
	for range t.repeats {
		switch t.kind {
		case "C":
			pad := t.pad
			if pad < 0 {
				pad = (t.size - 1) / 2
			}
			u.push(Entry{Inputs: []Input{convolution(len(u.entries), t.number, t.size, pad, t.stride)}, Add: NoLayer})
		case "FC":
			u.push(Entry{Inputs: []Input{{Kind: FC, From: len(u.entries), Out: t.number}}, Add: NoLayer})
		case "RB":
			if err := u.residual(t.number); err != nil {
				return err
			}
		}
		u.channels = t.number
	}
	return nil
}

func (u *unroller) push(e Entry) {
	e.Origin = u.origin
	u.entries = append(u.entries, e)
}

func convolution(from, out, kernel, pad, stride int) Input {
	return Input{Kind: Conv, From: from, Out: out, Kernel: Kernel{
		Size: Square(kernel), Stride: Square(stride), Pad: Square(pad), Dilation: Square(1), Groups: 1,
	}}
}

// residual appends a spike-element-wise residual block: conv, conv, and a
// shortcut convolution where the width changes, with stride 2 there.
func (u *unroller) residual(width int) error {
	from := len(u.entries)
	identity := u.channels == width
	if identity && from == InputLayer && u.encoding == Direct {
		return u.fail("adds directly encoded input to spikes; put a layer before it or use another width")
	}
	u.units++
	unit := fmt.Sprintf("residual block %d", u.units)
	add := func(add int, in Input) { u.push(Entry{Inputs: []Input{in}, Add: add, Unit: unit}) }
	if identity {
		add(NoLayer, convolution(from, width, 3, 1, 1))
		add(from, convolution(from+1, width, 3, 1, 1))
		return nil
	}
	add(NoLayer, convolution(from, width, 3, 1, 2))
	add(NoLayer, convolution(from+1, width, 3, 1, 1))
	add(from+2, convolution(from, width, 1, 0, 2))
	return nil
}

// norm is batch norm of all layers that the token before it unrolled to.
func (u *unroller) norm(previous string) error {
	if previous != "C" && previous != "RB" && previous != "FC" {
		return u.fail("needs a C, RB or FC directly before it")
	}
	for i := u.from; i < len(u.entries); i++ {
		u.entries[i].BatchNorm = true
	}
	return nil
}

// pool is average pooling after the layer before it.
func (u *unroller) pool(t token, previous string) error {
	if previous == "" || previous == "AP" || previous == "AdaptiveAP" {
		return u.fail("needs a trainable layer, and no other pooling, directly before it")
	}
	e := &u.entries[len(u.entries)-1]
	e.poolOrigin = u.origin
	if t.kind == "AdaptiveAP" {
		e.Pool, e.global = Pool{Kind: FirePool}, true
		return nil
	}
	if t.number != u.channels {
		return u.fail("pools %d channels but its input has %d; write %dAP%d", t.number, u.channels, u.channels, t.size)
	}
	e.Pool = Pool{Kind: FirePool, Window: Square(t.size), Stride: Square(t.size)}
	return nil
}

// withClasses returns a layers text with another number of classes.
func withClasses(text string, classes int) (string, error) {
	tokens, err := scan(text)
	if err != nil {
		return "", err
	}
	final := &tokens[len(tokens)-1]
	if final.repeats > 1 { // only the last repeat is the classifier
		last := *final
		last.repeats = 1
		final.repeats--
		tokens = append(tokens, last)
	}
	tokens[len(tokens)-1].number = classes
	parts := make([]string, len(tokens))
	for i, t := range tokens {
		parts[i] = t.String()
	}
	return strings.Join(parts, "-"), nil
}
