package network

import "fmt"

// interval is the numbers between low and high; the ends in open are not among
// them.
type interval struct {
	low, high float64
	open      ends
}

// ends of an interval.
type ends uint8

const (
	lower ends = 1 << iota
	upper
)

// has tells whether v is among the numbers; NaN never is.
func (i interval) has(v float64) bool {
	return (v > i.low || v == i.low && i.open&lower == 0) && (v < i.high || v == i.high && i.open&upper == 0)
}

// String says both ends, as in "it must be above 0 and below 1".
func (i interval) String() string {
	if i.open == 0 {
		return fmt.Sprintf("between %v and %v", i.low, i.high)
	}
	from, to := "at least", "at most"
	if i.open&lower != 0 {
		from = "above"
	}
	if i.open&upper != 0 {
		to = "below"
	}
	return fmt.Sprintf("%s %v and %s %v", from, i.low, to, i.high)
}
