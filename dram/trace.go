package dram

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/units"
)

// traceReader reads requests in DRAMsim3's trace format, one a line:
// address in hexadecimal, READ or WRITE, and the earliest memory clock.
type traceReader struct {
	lines    *input.Lines
	name     string
	capacity units.Bytes
	burst    uint64
	cycle    units.Cycles
}

func newTraceReader(r io.Reader, name string, d Device) *traceReader {
	return &traceReader{
		lines:    input.NewLines(r, name),
		name:     name,
		capacity: d.Capacity(),
		burst:    uint64(d.BurstBytes()),
	}
}

// fill reads up to len(to) requests; 0 means the end.
func (t *traceReader) fill(to []request) (int, error) {
	n := 0
	for n < len(to) && t.lines.Scan() {
		text := t.lines.Text()
		if strings.TrimSpace(text) == "" {
			continue
		}
		q, err := t.parse(text)
		if err != nil {
			return 0, fmt.Errorf("%s:%d: %w", t.name, t.lines.Line(), err)
		}
		to[n] = q
		n++
	}
	if err := t.lines.Err(); err != nil {
		return 0, err
	}
	return n, nil
}

func (t *traceReader) parse(text string) (request, error) {
	words := strings.Fields(text)
	if len(words) != 3 {
		return request{}, fmt.Errorf("%q is not a request; write 0xADDRESS READ|WRITE CYCLE", text)
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(words[0], "0x"), "0X")
	address, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return request{}, fmt.Errorf("address %q is not a hexadecimal number of at most 64 bits", words[0])
	}
	if address >= uint64(t.capacity) {
		return request{}, fmt.Errorf("address %#x is beyond the device's %d bytes", address, t.capacity)
	}
	write := false
	switch strings.ToUpper(words[1]) {
	case "READ":
	case "WRITE":
		write = true
	default:
		return request{}, fmt.Errorf("%q is neither READ nor WRITE", words[1])
	}
	cycle, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil || cycle < 0 || cycle > int64(maxCycle) {
		return request{}, fmt.Errorf("cycle %q is not a whole number in 0..%d", words[2], int64(maxCycle))
	}
	if units.Cycles(cycle) < t.cycle {
		return request{}, fmt.Errorf("cycle %d goes back behind %d; sort the trace by cycle", cycle, t.cycle)
	}
	t.cycle = units.Cycles(cycle)
	return request{burst: address / t.burst, write: write, cycle: t.cycle}, nil
}

// WriteTrace writes up to limit of the bursts of streams as requests of a
// trace, all at one memory clock, and returns how many it wrote.
func WriteTrace(w io.Writer, d Device, at units.Cycles, streams []Stream, limit int64) (int64, error) {
	written := int64(0)
	burst := d.BurstBytes()
	var line []byte
	for _, s := range streams {
		for i := int64(0); i < s.Bursts && written < limit; i++ {
			line = append(line[:0], "0x"...)
			line = strconv.AppendInt(line, int64(s.Addr+units.Bytes(i)*burst), 16)
			if s.Write {
				line = append(line, " WRITE "...)
			} else {
				line = append(line, " READ "...)
			}
			line = strconv.AppendInt(line, int64(at), 10)
			if _, err := w.Write(append(line, '\n')); err != nil {
				return written, err
			}
			written++
		}
	}
	return written, nil
}
