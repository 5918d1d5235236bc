package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
)

// gestures is a split of DvsGesture: spans of long recordings.
type gestures struct{ spans []span }

// span is a gesture of a recording.
type span struct {
	trial      *trial
	label      int
	start, end int64 // microseconds
	line       int   // of the label file
}

// trial is a recording of several gestures.
type trial struct {
	path, labels string

	once   sync.Once // for the index, made when the first gesture is read
	blocks []block
	last   int64
	err    error
}

func openDvsGesture(dir, split string, d network.Dataset) (source, error) {
	list := "trials_to_" + split + ".txt"
	dir, err := folder(dir, list, "DvsGesture")
	if err != nil {
		return nil, err
	}
	list = filepath.Join(dir, list)
	text, err := input.Text(list)
	if err != nil {
		return nil, err
	}
	s := &gestures{}
	line := 0
	for name := range strings.Lines(string(text)) {
		line++
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		base, isRecording := strings.CutSuffix(name, ".aedat")
		if !isRecording || !filepath.IsLocal(name) {
			return nil, atLine(list, line, "%q is no recording's name; it should be like user01_led.aedat", name)
		}
		t := &trial{path: filepath.Join(dir, name), labels: filepath.Join(dir, base+"_labels.csv")}
		if !exists(t.path) {
			return nil, atLine(list, line, "no file %s", t.path)
		}
		spans, err := t.spans(d.Classes)
		if err != nil {
			return nil, err
		}
		s.spans = append(s.spans, spans...)
	}
	return s, nil
}

// spans reads the label file.
func (t *trial) spans(classes int) ([]span, error) {
	text, err := input.Text(t.labels)
	if err != nil {
		return nil, err
	}
	spans, err := readGestureLabels(t.labels, bytes.NewReader(text), classes)
	for i := range spans {
		spans[i].trial = t
	}
	return spans, err
}

// readGestureLabels reads lines of class (from 1), start and end.
func readGestureLabels(path string, from io.Reader, classes int) ([]span, error) {
	r := csv.NewReader(from)
	r.FieldsPerRecord = 3
	r.TrimLeadingSpace = true
	var spans []span
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return spans, nil
		}
		if err != nil {
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				return nil, atLine(path, parse.Line, "%w; a line should be class,startTime_usec,endTime_usec", parse.Err)
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		if row[0] == "class" && len(spans) == 0 {
			continue
		}
		var numbers [3]int64
		for i, text := range row {
			if numbers[i], err = strconv.ParseInt(strings.TrimSpace(text), 10, 63); err != nil {
				return nil, atLine(path, line, "%q is no number", text)
			}
		}
		class, start, end := numbers[0], numbers[1], numbers[2]
		if class < 1 || class > int64(classes) {
			return nil, atLine(path, line, "class %d; the classes are 1 to %d", class, classes)
		}
		if start < 0 || end <= start {
			return nil, atLine(path, line, "a gesture from %d to %d", start, end)
		}
		spans = append(spans, span{label: int(class) - 1, start: start, end: end, line: line})
	}
}

func (s *gestures) len() int     { return len(s.spans) }
func (s *gestures) close() error { return nil }

func (s *gestures) read(i int, c *canvas) (int, error) {
	g := s.spans[i]
	f, size, err := input.Data(g.trial.path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	g.trial.once.Do(func() { g.trial.index(f, size) })
	if g.trial.err != nil {
		return 0, g.trial.err
	}
	if g.start > g.trial.last {
		return 0, atLine(g.trial.labels, g.line, "a gesture from %d microseconds on, but the last event of %s is at %d",
			g.start, g.trial.path, g.trial.last)
	}
	return g.label, g.draw(f, c)
}

func (t *trial) index(f io.Reader, size int64) {
	t.blocks, t.err = indexAEDAT3(t.path, f, size)
	for _, b := range t.blocks {
		t.last = max(t.last, b.last)
	}
}

// draw reads those blocks that have something of the gesture's frames.
func (g *span) draw(f io.ReaderAt, c *canvas) error {
	end := g.end
	if c.end() < end-g.start {
		end = g.start + c.end()
	}
	r := bufio.NewReaderSize(nil, blockBytes)
	for _, b := range g.trial.blocks {
		if b.last < g.start || b.first >= end {
			continue
		}
		r.Reset(io.NewSectionReader(f, b.from, b.to-b.from))
		a := aedat3{path: g.trial.path, r: r, offset: b.from, end: b.to}
		for {
			e, err := a.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if e.t >= g.start && e.t < end {
				c.event(e.t-g.start, e.y, e.x, e.on)
			}
		}
	}
	return nil
}
