package sweep

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/accuracy"
	"github.com/accelsim-dev/accelsim/internal/output"
)

// planHeader is the first line of a plan file.
type planHeader struct {
	Schema   string           `json:"schema"`
	Version  string           `json:"version"`
	Inputs   []string         `json:"inputs"`
	Points   int              `json:"points"`
	Subjects []plannedSubject `json:"subjects"`
}

// plannedSubject is a [Subject].
type plannedSubject struct {
	Given    string            `json:"net"`
	Name     string            `json:"name"`
	Content  Key               `json:"content"`
	Layers   string            `json:"layers"`
	Ends     []int             `json:"unit_ends"`
	Learning accuracy.Learning `json:"learning"`
}

// check refuses ends of units that no network has.
func (s *plannedSubject) check() error {
	if len(s.Ends) == 0 {
		return fmt.Errorf("the network %s has no layers", s.Given)
	}
	for i, end := range s.Ends {
		if end <= i || end > len(s.Ends) {
			return fmt.Errorf("the network %s: a unit of layer %d of %d ends at %d", s.Given, i+1, len(s.Ends), end)
		}
	}
	return nil
}

// planned is a point: a line of a plan file.
type planned struct {
	Key     Key      `json:"key"`
	Values  []string `json:"values"`
	Subject int      `json:"subject,omitempty"` // its place in the header, from 1
}

// Hash identifies a plan's points and their order.
func (p *Plan) Hash() Key {
	keys := make([]Key, len(p.Points))
	for i, point := range p.Points {
		keys[i] = point.Key
	}
	return content([]any{p.Inputs, keys})
}

// Save writes the plan into a folder of results, for [Merge] to know what is
// missing. All shards write the same.
func (p *Plan) Save(dir string) error {
	return output.WriteFolder(versionFolder(dir, p.Fixed.Version), []output.File{{Name: planFile, Write: p.write}})
}

// write writes the plan's header and a line for each point.
func (p *Plan) write(w io.Writer) error {
	h := planHeader{Schema: schema, Version: p.Fixed.Version, Inputs: p.Inputs, Points: len(p.Points), Subjects: []plannedSubject{}}
	place := map[*Subject]int{}
	for i, s := range p.Subjects {
		place[s] = i + 1
		h.Subjects = append(h.Subjects, plannedSubject{s.Given, s.Name, s.Content, s.Layers, s.Ends, s.Learning})
	}
	text, err := line(h)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, point := range p.Points {
		if text, err = line(planned{point.Key, point.Values(), place[point.subject]}); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// LoadPlan reads the plan that the last sweep of a version left in a folder.
// Its points can be laid out, not simulated.
func LoadPlan(dir, version string) (*Plan, error) {
	name := filepath.Join(versionFolder(dir, version), planFile)
	l := planLoader{plan: &Plan{Fixed: Fixed{Version: version}}, combinations: map[string]*combination{}}
	err := eachLine(name, func(number int, text []byte, _ bool) error {
		read := l.point
		if number == 1 {
			read = l.header
		}
		if err := read(text); err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
		return nil
	})
	if err == nil && len(l.plan.Points) != l.points {
		err = fmt.Errorf("%s: %d points of %d are there", name, len(l.plan.Points), l.points)
	}
	if err != nil {
		return nil, err
	}
	return l.plan, nil
}

// planLoader reads a plan line by line.
type planLoader struct {
	plan         *Plan
	points       int
	combinations map[string]*combination // by values and subject
}

func (l *planLoader) header(text []byte) error {
	var h planHeader
	if err := parseLine(text, &h); err != nil {
		return err
	}
	p := l.plan
	if h.Schema != schema || h.Version != p.Fixed.Version {
		return errors.New("this is not a plan of " + schema + " and version " + p.Fixed.Version)
	}
	if cuts := []string{axisK, axisN}; len(h.Inputs) < len(cuts) || !slices.Equal(h.Inputs[len(h.Inputs)-len(cuts):], cuts) {
		return fmt.Errorf("the inputs are %q; the last must be %s and %s", h.Inputs, axisK, axisN)
	}
	p.Inputs, l.points = h.Inputs, h.Points
	for _, s := range h.Subjects {
		if err := s.check(); err != nil {
			return err
		}
		p.Subjects = append(p.Subjects, &Subject{Given: s.Given, Name: s.Name, Layers: s.Layers, Ends: s.Ends, Learning: s.Learning, Content: s.Content})
	}
	return nil
}

func (l *planLoader) point(text []byte) error {
	var read planned
	if err := parseLine(text, &read); err != nil {
		return err
	}
	p := l.plan
	if len(read.Values) != len(p.Inputs) {
		return fmt.Errorf("%d values for %d inputs", len(read.Values), len(p.Inputs))
	}
	if read.Subject < 0 || read.Subject > len(p.Subjects) {
		return fmt.Errorf("subject %d of %d", read.Subject, len(p.Subjects))
	}
	cuts := len(read.Values) - 2
	k, errK := cutNumber(read.Values[cuts])
	n, errN := cutNumber(read.Values[cuts+1])
	if err := errors.Join(errK, errN); err != nil {
		return err
	}
	values := read.Values[:cuts]
	key := strconv.Itoa(read.Subject) + strings.Join(values, "\x00")
	c := l.combinations[key]
	if c == nil {
		c = &combination{values: values}
		if read.Subject > 0 {
			c.subject = p.Subjects[read.Subject-1]
		}
		l.combinations[key] = c
	}
	p.Points = append(p.Points, &Point{Key: read.Key, k: k, n: n, combination: c})
	return nil
}

// cutNumber reads k or n as [Point.Value] prints it.
func cutNumber(text string) (int32, error) {
	if text == "" {
		return 0, nil
	}
	v, err := strconv.ParseInt(text, 10, 32)
	return int32(v), err
}
