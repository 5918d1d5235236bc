package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// traceFile is the Chrome trace-event format, as strictly as the events that we
// write allow.
type traceFile struct {
	Unit   string         `json:"displayTimeUnit"`
	Other  map[string]any `json:"otherData"`
	Events []traceEvent   `json:"traceEvents"`
}

type traceEvent struct {
	Phase    string         `json:"ph"`
	Name     string         `json:"name"`
	Category string         `json:"cat"`
	Time     *json.Number   `json:"ts"`
	Duration *json.Number   `json:"dur"`
	Process  *int           `json:"pid"`
	Thread   *int           `json:"tid"`
	Args     map[string]any `json:"args"`
}

// microseconds is a number of microseconds to the picosecond.
var microseconds = regexp.MustCompile(`^[0-9]+\.[0-9]{6}$`)

// picoseconds reads a time; the format has microseconds.
func picoseconds(n *json.Number) (int64, error) {
	if n == nil || !microseconds.MatchString(n.String()) {
		return 0, fmt.Errorf("time %v is not in microseconds with six decimals", n)
	}
	var whole, part int64
	_, err := fmt.Sscanf(n.String(), "%d.%d", &whole, &part)
	return whole*1e6 + part, err
}

// checkTrace is what chrome://tracing and ui.perfetto.dev ask of a file, and
// more: events in order of time, tracks named before use, one thing at a time
// on a track, counters that are numbers.
func checkTrace(text []byte) (events int, err error) {
	var f traceFile
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&f); err != nil {
		return 0, err
	}
	if f.Unit != "ns" && f.Unit != "ms" {
		return 0, fmt.Errorf("displayTimeUnit %q", f.Unit)
	}
	type track struct{ process, thread int }
	process, named := map[int]bool{}, map[track]bool{}
	until := map[track]int64{}
	now := int64(0)
	for i, e := range f.Events {
		fail := func(format string, args ...any) (int, error) {
			return i, fmt.Errorf("event %d, %s %q: %s", i, e.Phase, e.Name, fmt.Sprintf(format, args...))
		}
		if e.Name == "" || e.Process == nil {
			return fail("has no name or no pid")
		}
		if e.Phase == "M" {
			switch e.Name {
			case "process_name":
				process[*e.Process] = e.Args["name"] != ""
			case "thread_name":
				if e.Thread == nil || e.Args["name"] == "" {
					return fail("names no thread")
				}
				named[track{*e.Process, *e.Thread}] = true
			case "thread_sort_index":
			default:
				return fail("unknown metadata")
			}
			continue
		}
		at, err := picoseconds(e.Time)
		if err != nil {
			return fail("%v", err)
		}
		if at < now {
			return fail("at %d ps follows one at %d", at, now)
		}
		now = at
		switch e.Phase {
		case "X":
			long, err := picoseconds(e.Duration)
			if err != nil {
				return fail("%v", err)
			}
			if e.Thread == nil || !named[track{*e.Process, *e.Thread}] || !process[*e.Process] {
				return fail("is on a track without a name")
			}
			on := track{*e.Process, *e.Thread}
			if at < until[on] {
				return fail("begins at %d ps on track %v, before the one before ends at %d", at, on, until[on])
			}
			until[on] = at + long
			if e.Category == "" || e.Args["step"] == nil || e.Args["block"] == nil || e.Args["t"] == nil || e.Args["interval"] == nil {
				return fail("does not say of which step it is")
			}
		case "C":
			if len(e.Args) == 0 {
				return fail("counts nothing")
			}
			for unit, v := range e.Args {
				n, ok := v.(json.Number)
				if !ok {
					return fail("%s is not a number", unit)
				}
				if x, err := n.Float64(); err != nil || math.IsInf(x, 0) || x < 0 {
					return fail("%s is %v", unit, v)
				}
			}
		default:
			return fail("unknown phase")
		}
	}
	if len(named) == 0 {
		return 0, errors.New("no tracks")
	}
	return len(f.Events), nil
}

func perfetto(t *testing.T, net string, k, n, batch int, limit int64) ([]byte, *sim.Trace) {
	t.Helper()
	trace := &sim.Trace{Limit: limit}
	_, r := evaluate(t, net, k, n, batch, sim.Options{Trace: trace})
	var text bytes.Buffer
	if err := report.WritePerfetto(&text, r, trace); err != nil {
		t.Fatal(err)
	}
	return text.Bytes(), trace
}

func TestTraceOfLeNetIsAValidTraceEventFile(t *testing.T) {
	text, trace := perfetto(t, "lenet1", 10, 2, 128, math.MaxInt64)
	events, err := checkTrace(text)
	if err != nil {
		t.Fatal(err)
	}
	if events < len(trace.Spans) {
		t.Errorf("%d events for %d spans", events, len(trace.Spans))
	}
	for _, name := range []string{"DMA", "DRAM ddr4-2400", "PE steps", "PE array", "vector lanes", "on-chip buffer", "DRAM read", "DRAM write"} {
		if !strings.Contains(string(text), `"`+name) {
			t.Errorf("no track %q", name)
		}
	}
}

func TestTracesOfOtherNetworksAreValid(t *testing.T) {
	for _, c := range []struct {
		net         string
		k, n, batch int
	}{{"alexnet", 10, 1, 128}, {"resnet18", 1, 1, 4}} {
		text, trace := perfetto(t, c.net, c.k, c.n, c.batch, 300)
		if _, err := checkTrace(text); err != nil {
			t.Errorf("%s: %v", c.net, err)
		}
		if !trace.Cut() || !strings.Contains(string(text), `"recorded_steps":300`) {
			t.Errorf("%s: the file does not say that it was cut", c.net)
		}
	}
}

// TestTraceHasAProcessForEveryGroup and a track for every DMA engine.
func TestTraceHasAProcessForEveryGroup(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.Engines, hw.Groups = 2, 3
	trace := &sim.Trace{Limit: math.MaxInt64}
	e, err := design.Evaluate(design.Point{
		Workload: w, Hardware: hw, K: 5, N: 1, NoBaseline: true, Options: sim.Options{Order: schedule.Pipelined, Trace: trace},
	})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.WritePerfetto(&text, report.NewRun(e), trace); err != nil {
		t.Fatal(err)
	}
	if _, err := checkTrace(text.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"PE group 1: block 1, `, `"PE group 3: blocks 3-4, `, `"DMA 2"`, `"pid":3,"tid":2`} {
		if !strings.Contains(text.String(), name) {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestCheckOfTracesSeesWhatIsWrong(t *testing.T) {
	text, _ := perfetto(t, "lenet1", 20, 4, 1, 20)
	if _, err := checkTrace(text); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, old, with string }{
		{"no process", `"pid":1,`, ``},
		{"a span without length", `"dur":`, `"long":`},
		{"nanoseconds", `"ts":0.000000`, `"ts":0`},
		{"a phase that is not known", `"ph":"X"`, `"ph":"Q"`},
		{"a track without a name", `thread_name`, `thread_nome`},
		{"not JSON", `"traceEvents":[`, `"traceEvents":[,`},
		{"a span in the past", `"dur":`, `"dur":9`},
	} {
		broken := strings.Replace(string(text), c.old, c.with, 1)
		if c.what == "a span in the past" {
			broken = strings.ReplaceAll(string(text), c.old, c.with)
		}
		if broken == string(text) {
			t.Errorf("%s: %q is not in the file", c.what, c.old)
		}
		if _, err := checkTrace([]byte(broken)); err == nil {
			t.Errorf("%s: the check sees nothing", c.what)
		}
	}
}
