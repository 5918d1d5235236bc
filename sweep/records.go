package sweep

import (
	"slices"
	"strings"
)

// Records are what is known of finished points, by key. There may be millions:
// a record is kept as the texts of its values in one string, and shares their
// names with all that have the same.
type Records struct {
	at     map[Key]int32
	list   []kept
	shapes map[string]*shape
}

// kept is a record in memory.
type kept struct {
	shape  *shape
	status Status
	reason string
	values string // texts of numbers and truths, which have no comma, joined by commas
}

// shape is the names of a record's values.
type shape struct {
	names []string
	at    map[string]int
}

// separator stands between the texts of values, and between their names.
const separator = ","

// NewRecords returns none.
func NewRecords() *Records {
	return &Records{at: map[Key]int32{}, shapes: map[string]*shape{}}
}

// Len returns how many there are.
func (all *Records) Len() int { return len(all.list) }

// Has tells whether a point is finished.
func (all *Records) Has(k Key) bool {
	_, ok := all.at[k]
	return ok
}

// Get returns a point's record, if it is finished.
func (all *Records) Get(k Key) (r Record, ok bool) {
	i, ok := all.at[k]
	if !ok {
		return r, false
	}
	c := &all.list[i]
	r = Record{Key: k, Status: c.status, Reason: c.reason}
	for j, text := range c.texts(nil) {
		r.Values = append(r.Values, Value{c.shape.names[j], text})
	}
	return r, true
}

// Add keeps a record; the one that the point had before is replaced.
func (all *Records) Add(r Record) {
	c := all.compact(r)
	if i, twice := all.at[r.Key]; twice {
		all.list[i] = c
		return
	}
	all.at[r.Key] = int32(len(all.list))
	all.list = append(all.list, c)
}

// contradicts tells whether a point has another result already.
func (all *Records) contradicts(r Record) bool {
	i, twice := all.at[r.Key]
	if !twice {
		return false
	}
	before, now := &all.list[i], all.compact(r)
	return before.shape != now.shape || before.values != now.values
}

func (all *Records) compact(r Record) kept {
	names, texts := make([]string, len(r.Values)), make([]string, len(r.Values))
	for i, v := range r.Values {
		names[i], texts[i] = v.Name, v.Text
	}
	return kept{all.shape(names), r.Status, r.Reason, strings.Join(texts, separator)}
}

// shape returns the same shape for the same names.
func (all *Records) shape(names []string) *shape {
	key := strings.Join(names, separator)
	s := all.shapes[key]
	if s == nil {
		s = &shape{slices.Clone(names), map[string]int{}}
		for i := len(names) - 1; i >= 0; i-- {
			s.at[names[i]] = i
		}
		all.shapes[strings.Clone(key)] = s
	}
	return s
}

// texts appends the texts of a record's values.
func (c *kept) texts(to []string) []string {
	for rest, more := c.values, len(c.shape.names) > 0; more; {
		var text string
		text, rest, more = strings.Cut(rest, separator)
		to = append(to, text)
	}
	return to
}

// text returns the text of one value, "" if the record has none of that name.
func (c *kept) text(name string) string {
	i, ok := c.shape.at[name]
	if !ok {
		return ""
	}
	rest := c.values
	for range i {
		_, rest, _ = strings.Cut(rest, separator)
	}
	text, _, _ := strings.Cut(rest, separator)
	return text
}
