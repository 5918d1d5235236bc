// Package importing reads what other tools write: SCALE-Sim's topology files,
// as workloads, and spikes recorded while a network ran in PyTorch, as the
// densities that `--activity` takes.
package importing

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"accelsim/network"
)

// ScaleSim says what a topology file does not: it has layers' shapes only.
type ScaleSim struct {
	Timesteps int
	Encoding  network.Encoding
	Batch     int // 0: the default of workload files
	// Padding is that of the first layer: SCALE-Sim's maps are padded already,
	// and no layer before it tells by how much.
	Padding int
}

// Topology is a SCALE-Sim topology as a workload.
type Topology struct {
	Layers string // Table 2 notation
	Input  network.Shape
	// Notes say what was inferred, each with its line.
	Notes []string

	options ScaleSim
}

// convRow is one line of a topology: a convolution without padding, of an
// input that was padded before.
type convRow struct {
	line                  int
	name                  string
	height, width         int // of the padded input
	kernelHigh, kernelLow int
	channels, filters     int
	stride                int
}

func (r convRow) out() (height, width int) {
	return (r.height-r.kernelHigh)/r.stride + 1, (r.width-r.kernelLow)/r.stride + 1
}

// fullyConnected tells whether the layer reads a 1x1 map, which is how
// SCALE-Sim's users write fully connected layers.
func (r convRow) fullyConnected() bool {
	return r.height == 1 && r.width == 1 && r.kernelHigh == 1 && r.kernelLow == 1 && r.stride == 1
}

// columns of a topology; a ninth, empty one follows the trailing comma.
var columns = []string{
	"IFMAP height", "IFMAP width", "filter height", "filter width", "channels", "number of filters", "strides",
}

const (
	maxLines  = 10_000
	maxLength = 1 << 16 // of a line
	maxExtent = 1 << 20 // of any number
)

// ReadTopology reads a SCALE-Sim topology (version 1, 2 and 3's conv format): a
// header line, then `name, IFMAP height, IFMAP width, filter height, filter
// width, channels, filters, strides,` a layer. Errors name file and line.
//
// The format is a list of layers' shapes, not a network. What joins them is
// inferred, and noted:
//   - a layer that reads a map larger than the one before it makes reads it
//     padded; the sum must be even, the same in both directions, and less than
//     the kernel;
//   - a layer that reads a smaller map reads it average-pooled, by a window
//     that divides as the sizes say, the same in both directions;
//   - a layer that reads a 1x1 map of as many channels as the layer before it
//     has values reads it flattened and is fully connected;
//   - the last layer is the classifier and must be fully connected.
//
// Anything else, such as branches and depthwise layers, is an error.
func ReadTopology(r io.Reader, name string, o ScaleSim) (*Topology, error) {
	rows, err := readRows(r, name)
	if err != nil {
		return nil, err
	}
	t := &Topology{options: o}
	first, pad := rows[0], o.Padding
	t.Input = network.Shape{Channels: first.channels, Height: first.height - 2*pad, Width: first.width - 2*pad}
	if t.Input.Height < 1 || t.Input.Width < 1 || pad < 0 {
		return nil, fmt.Errorf("%s:%d: a padding of %d on each side leaves nothing of the first layer's %dx%d map",
			name, first.line, pad, first.height, first.width)
	}
	shape := t.Input
	var tokens []string
	for i, row := range rows {
		last := i == len(rows)-1
		token, next, err := t.layer(row, shape, &tokens, last)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, row.line, err)
		}
		tokens, shape = append(tokens, token), next
	}
	t.Layers = strings.Join(tokens, "-")
	return t, nil
}

func (t *Topology) note(row convRow, format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf("line %d, %s: %s", row.line, row.name, fmt.Sprintf(format, args...)))
}

// layer returns the token of a row that reads a map of the given shape, and
// the shape it makes. Pooling that must lie between is appended to tokens.
func (t *Topology) layer(row convRow, shape network.Shape, tokens *[]string, last bool) (token string, next network.Shape, err error) {
	if row.fullyConnected() && row.channels == shape.Size() {
		if shape.Positions() > 1 {
			t.note(row, "reads the %v map before it flattened: fully connected", shape)
		}
		return strconv.Itoa(row.filters) + "FC", network.Shape{Channels: row.filters, Height: 1, Width: 1}, nil
	}
	if last {
		return t.classifier(row, shape, tokens)
	}
	if row.kernelHigh != row.kernelLow {
		return "", shape, fmt.Errorf("filter of %dx%d; only square filters can be written in Table 2 notation", row.kernelHigh, row.kernelLow)
	}
	if row.channels != shape.Channels {
		if row.fullyConnected() {
			return t.pooledFC(row, shape, tokens)
		}
		return "", shape, fmt.Errorf("%s reads %d channels, but the layer before it makes %v; branches, grouped and depthwise layers cannot be written",
			row.name, row.channels, shape)
	}
	pad := 0
	switch {
	case row.height == shape.Height && row.width == shape.Width:
	case row.height >= shape.Height && row.width >= shape.Width:
		extra := row.height - shape.Height
		if row.width-shape.Width != extra || extra%2 != 0 {
			return "", shape, fmt.Errorf("%s reads a %dx%d map, but the layer before it makes %dx%d; padding must be even and the same in both directions",
				row.name, row.height, row.width, shape.Height, shape.Width)
		}
		if pad = extra / 2; pad >= row.kernelHigh {
			return "", shape, fmt.Errorf("%s reads a %dx%d map, but the layer before it makes %dx%d; that is no padding of a %dx%d filter",
				row.name, row.height, row.width, shape.Height, shape.Width, row.kernelHigh, row.kernelLow)
		}
		t.note(row, "reads the %dx%d map before it padded by %d", shape.Height, shape.Width, pad)
	default:
		if pad, shape, err = t.pool(row, shape, tokens); err != nil {
			return "", shape, err
		}
	}
	token = fmt.Sprintf("%dC%d", row.filters, row.kernelHigh)
	if pad != (row.kernelHigh-1)/2 {
		token += "p" + strconv.Itoa(pad)
	}
	if row.stride > 1 {
		token += "s" + strconv.Itoa(row.stride)
	}
	height, width := row.out()
	return token, network.Shape{Channels: row.filters, Height: height, Width: width}, nil
}

// classifier is the last layer: fully connected, written as a 1x1 map of many
// channels or as a filter that covers the whole map.
func (t *Topology) classifier(row convRow, shape network.Shape, tokens *[]string) (token string, next network.Shape, err error) {
	next = network.Shape{Channels: row.filters, Height: 1, Width: 1}
	switch {
	case row.fullyConnected():
		return t.pooledFC(row, shape, tokens)
	case row.height != row.kernelHigh || row.width != row.kernelLow:
		return "", shape, fmt.Errorf("the last layer, %s, is a convolution of a %dx%d map; the last layer must be the classifier: a 1x1 map with a channel per value of the map before it, or a filter as large as its map",
			row.name, row.height, row.width)
	case row.channels != shape.Channels:
		return "", shape, fmt.Errorf("%s reads %d channels, but the layer before it makes %v", row.name, row.channels, shape)
	case row.height != shape.Height || row.width != shape.Width:
		if _, shape, err = t.pool(row, shape, tokens); err != nil {
			return "", shape, err
		}
		if row.height != shape.Height { // padded
			return "", shape, fmt.Errorf("%s, the classifier, reads a %dx%d map; the layer before it makes %v", row.name, row.height, row.width, shape)
		}
	}
	t.note(row, "its filter covers the whole map: fully connected")
	return strconv.Itoa(row.filters) + "FC", next, nil
}

// pool inserts the average pooling between two layers whose shapes jump down.
// Where the map also has to be padded afterwards, the padding is the filter's
// usual (kernel-1)/2.
func (t *Topology) pool(row convRow, shape network.Shape, tokens *[]string) (pad int, pooled network.Shape, err error) {
	for _, pad := range []int{0, (row.kernelHigh - 1) / 2} {
		height, width := row.height-2*pad, row.width-2*pad
		if window := windowOf(shape, height, width); window > 1 && len(*tokens) > 0 {
			pooled = network.Shape{Channels: shape.Channels, Height: height, Width: width}
			*tokens = append(*tokens, fmt.Sprintf("%dAP%d", shape.Channels, window))
			t.note(row, "reads a %dx%d map where the layer before it makes %dx%d: %dx%d average pooling inserted", row.height, row.width,
				shape.Height, shape.Width, window, window)
			if pad > 0 {
				t.note(row, "reads the %dx%d map before it padded by %d", height, width, pad)
			}
			return pad, pooled, nil
		}
	}
	return 0, shape, fmt.Errorf("%s reads a %dx%d map, but the layer before it makes %dx%d; no square pooling window and padding lead from one to the other",
		row.name, row.height, row.width, shape.Height, shape.Width)
}

// windowOf returns the pooling window (stride = window, a remainder is dropped)
// that makes height x width of shape, 0 if there is none.
func windowOf(shape network.Shape, height, width int) int {
	if height < 1 || width < 1 || height > shape.Height || width > shape.Width {
		return 0
	}
	window := shape.Height / height // the one that drops least
	if shape.Height/window == height && shape.Width/window == width {
		return window
	}
	return 0
}

// pooledFC is a fully connected layer that reads fewer values than the layer
// before it makes: average pooling lies between.
func (t *Topology) pooledFC(row convRow, shape network.Shape, tokens *[]string) (string, network.Shape, error) {
	if len(*tokens) > 0 && row.channels%shape.Channels == 0 {
		positions := row.channels / shape.Channels
		for window := min(shape.Height, shape.Width); window > 1; window-- { // the one that drops least
			if (shape.Height/window)*(shape.Width/window) == positions {
				*tokens = append(*tokens, fmt.Sprintf("%dAP%d", shape.Channels, window))
				t.note(row, "reads %d values where the layer before it makes %v: %dx%d average pooling inserted, then fully connected",
					row.channels, shape, window, window)
				return strconv.Itoa(row.filters) + "FC", network.Shape{Channels: row.filters, Height: 1, Width: 1}, nil
			}
		}
	}
	return "", shape, fmt.Errorf("%s reads %d values, but the layer before it makes %v = %d; no average pooling leads from one to the other",
		row.name, row.channels, shape, shape.Size())
}

func readRows(r io.Reader, name string) ([]convRow, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLength)
	var rows []convRow
	header := false
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if strings.Trim(text, ", \t") == "" {
			continue
		}
		fields := strings.Split(text, ",")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if !header {
			header = true
			if err := checkHeader(fields); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			continue
		}
		if len(rows) == maxLines {
			return nil, fmt.Errorf("%s:%d: more than %d layers", name, n, maxLines)
		}
		row, err := readRow(fields)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		row.line = n
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("line of more than %d bytes; this is no topology file", maxLength)
		}
		return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	if !header {
		return nil, fmt.Errorf("%s: is empty; the first line is the header %q", name, headerExample)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s:%d: %d layers; a network has a trainable layer and a classifier", name, n, len(rows))
	}
	return rows, nil
}

const headerExample = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"

// checkHeader refuses a first line that is a layer, which SCALE-Sim would skip,
// and the GEMM format (Layer, M, N, K).
func checkHeader(fields []string) error {
	for _, field := range fields[1:] {
		if _, err := strconv.Atoi(field); err == nil {
			return fmt.Errorf("the first line is a layer; it must be the header %q", headerExample)
		}
	}
	if len(fields) < 2 || !strings.HasPrefix(strings.ToLower(fields[1]), "ifmap") {
		return fmt.Errorf("this is no conv topology; the first line must be the header %q", headerExample)
	}
	return nil
}

func readRow(fields []string) (convRow, error) {
	// A trailing comma, and version 3's sparsity column (1:1 is dense).
	for len(fields) > 8 && (fields[len(fields)-1] == "" || fields[len(fields)-1] == "1:1") {
		fields = fields[:len(fields)-1]
	}
	if len(fields) != 8 {
		return convRow{}, fmt.Errorf("%d fields; a layer has a name and %s", len(fields), strings.Join(columns, ", "))
	}
	row := convRow{name: fields[0]}
	if row.name == "" {
		row.name = "the layer"
	}
	for i, to := range []*int{&row.height, &row.width, &row.kernelHigh, &row.kernelLow, &row.channels, &row.filters, &row.stride} {
		v, err := strconv.Atoi(fields[i+1])
		if err != nil || v < 1 || v > maxExtent {
			return row, fmt.Errorf("%s is %q; write a whole number from 1 to %d", columns[i], fields[i+1], maxExtent)
		}
		*to = v
	}
	if row.kernelHigh > row.height || row.kernelLow > row.width {
		return row, fmt.Errorf("%s has a %dx%d filter, larger than its %dx%d map", row.name, row.kernelHigh, row.kernelLow, row.height, row.width)
	}
	return row, nil
}

// YAML returns the workload file, with what was inferred as comments. What
// cannot be a workload, such as a map that nothing is left of, is an error.
func (t *Topology) YAML(source string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# From the SCALE-Sim topology %s. It has layers' shapes only: timesteps and encoding are not in it.\n", clean(source))
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "# %s\n", clean(note))
	}
	fmt.Fprintf(&b, "input: {channels: %d, height: %d, width: %d, encoding: %s}\n", t.Input.Channels, t.Input.Height, t.Input.Width, t.options.Encoding)
	fmt.Fprintf(&b, "layers: %s\ntimesteps: %d\n", t.Layers, t.options.Timesteps)
	if t.options.Batch != 0 {
		fmt.Fprintf(&b, "batch: %d\n", t.options.Batch)
	}
	if _, err := network.Read(b.Bytes(), source); err != nil {
		return nil, fmt.Errorf("the layers become %q, which is no workload: %w", t.Layers, err)
	}
	return b.Bytes(), nil
}

// clean keeps a name from the file within its comment.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
