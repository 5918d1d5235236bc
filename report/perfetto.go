package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sort"

	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// perfettoEvent is one event of the Chrome trace-event format ("Trace Event
// Format", Google, 2016), which ui.perfetto.dev opens. Times are microseconds,
// exact to the picosecond.
type perfettoEvent struct {
	Phase    string         `json:"ph"` // M metadata, X complete, C counter
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Time     json.Number    `json:"ts,omitempty"`
	Duration json.Number    `json:"dur,omitempty"`
	Process  int            `json:"pid"`
	Thread   int            `json:"tid,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
}

// perfettoProcess numbers the process that shows a PE group.
func perfettoProcess(group int) int { return group + 1 }

// perfettoThread numbers the thread that shows a track; DMA engines but the first
// come after all tracks.
func perfettoThread(track sim.Track, engine int) int {
	if engine > 0 {
		return int(sim.NumTracks) + engine
	}
	return int(track) + 1
}

// WritePerfetto writes a trace as Chrome trace-event JSON: a process for each PE
// group, in it a track for each unit, and counters of the layer buffer's fill
// and of the DRAM's data rates.
func WritePerfetto(w io.Writer, r *Run, t *sim.Trace) error {
	events := perfettoSpans(t)
	events = append(events, perfettoCounters(t, r.Hardware.Word)...)
	sort.SliceStable(events, func(i, j int) bool { return events[i].at.Less(events[j].at) })

	out := bufio.NewWriter(w)
	note := map[string]any{"recorded_steps": min(t.Limit, t.Total), "steps": t.Total, "accelsim": RunSchema}
	head, err := json.Marshal(note)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "{\"displayTimeUnit\":\"ns\",\"otherData\":%s,\"traceEvents\":[\n", head)
	list := perfettoNames(r, t)
	for _, e := range events {
		list = append(list, e.perfettoEvent)
	}
	for i, e := range list {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprint(out, ",\n")
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}

// timed is an event with its time, to sort by.
type timed struct {
	at units.Time
	perfettoEvent
}

const microsecond = units.Second / 1_000_000

// micro prints a time in microseconds.
func micro(t units.Time) json.Number {
	whole, rest := t.DivMod(microsecond)
	return json.Number(fmt.Sprintf("%d.%06d", whole, rest))
}

// perfettoNames names the processes and their tracks.
func perfettoNames(r *Run, t *sim.Trace) (list []perfettoEvent) {
	engines := 1
	for _, s := range t.Spans {
		engines = max(engines, s.Engine+1)
	}
	for group := range t.Fill {
		process := perfettoProcess(group)
		name := fmt.Sprintf("%s (k, n) = (%d, %d) on %s", r.Workload.Name, r.Schedule.K, r.Schedule.N, r.Hardware.Name)
		if len(t.Fill) > 1 {
			name = fmt.Sprintf("PE group %d: %s, %s", group+1, r.Schedule.Groups[group].blocks(), name)
		}
		list = append(list, perfettoEvent{Phase: "M", Name: "process_name", Process: process, Args: map[string]any{"name": name}})
		thread := func(number, place int, name string) {
			list = append(list,
				perfettoEvent{Phase: "M", Name: "thread_name", Process: process, Thread: number, Args: map[string]any{"name": name}},
				perfettoEvent{Phase: "M", Name: "thread_sort_index", Process: process, Thread: number, Args: map[string]any{"sort_index": place}})
		}
		for track := range sim.NumTracks {
			name := track.String()
			if track == sim.Port {
				name = fmt.Sprintf("%s %s, %d channel(s)", name, r.DRAM.Device, r.DRAM.Channels)
			}
			thread(perfettoThread(track, 0), int(track)+1, name)
			for engine := 1; track == sim.DMA && engine < engines; engine++ {
				thread(perfettoThread(track, engine), int(track)+1, fmt.Sprintf("%s %d", name, engine+1))
			}
		}
	}
	return list
}

// perfettoSpans puts spans into complete events.
func perfettoSpans(t *sim.Trace) []timed {
	list := make([]timed, 0, len(t.Spans))
	for _, s := range t.Spans {
		step := stepName(s)
		e := perfettoEvent{
			Phase: "X", Name: step, Category: phaseName(s.Kind), Time: micro(s.From), Duration: micro(s.To.Minus(s.From)),
			Process: perfettoProcess(s.Group), Thread: perfettoThread(s.Track, s.Engine),
			Args: map[string]any{"step": s.Step, "interval": s.Interval, "t": s.Time, "block": s.Block},
		}
		if s.Layer > 0 {
			e.Args["layer"] = s.Layer
		}
		direction := "load "
		if s.Write {
			direction = "store "
		}
		switch s.Track {
		case sim.DMA:
			e.Name, e.Args["words"] = direction+step, s.Words
		case sim.Port:
			e.Name = direction + s.Tensor.String()
			e.Args["words"], e.Args["tensors"], e.Args["of"] = s.Words, s.Tensor.Class.String(), step
		case sim.Array, sim.Lanes:
			e.Name, e.Args["of"] = s.Op.String(), step
		}
		list = append(list, timed{s.From, e})
	}
	return list
}

// stepName says what a step does.
func stepName(s sim.Span) string {
	if s.Layer == 0 {
		return fmt.Sprintf("%s block %d, t = %d", s.Kind, s.Block, s.Time)
	}
	return fmt.Sprintf("%s layer %d, t = %d", s.Kind, s.Layer, s.Time)
}

func phaseName(k schedule.Kind) string {
	switch {
	case k.Forward():
		return sim.Forward.String()
	case k == schedule.UpdateLayer || k == schedule.UpdateClassifier:
		return sim.Update.String()
	}
	return sim.Backward.String()
}

// perfettoCounters has the fill of each layer buffer at each change, and the
// DRAM's rate over each transfer.
func perfettoCounters(t *sim.Trace, word units.Bytes) []timed {
	counter := func(at units.Time, group int, name, unit string, value any) timed {
		return timed{at, perfettoEvent{
			Phase: "C", Name: name, Time: micro(at), Process: perfettoProcess(group), Args: map[string]any{unit: value},
		}}
	}
	var list []timed
	for group, levels := range t.Fill {
		for _, l := range levels {
			list = append(list, counter(l.At, group, "on-chip buffer", "bytes", l.Occupied))
		}
	}
	for _, rate := range rates(t, word) {
		list = append(list,
			counter(rate.at, 0, "DRAM read", "GB/s", rate.read/1e9),
			counter(rate.at, 0, "DRAM write", "GB/s", rate.write/1e9))
	}
	return list
}

// rate is the DRAM's data rate from a time on, in bytes per second.
type rate struct {
	at          units.Time
	read, write float64
}

// rates returns the data rate at each change, of words of that size.
func rates(t *sim.Trace, word units.Bytes) []rate {
	var list []rate
	enter := func(r rate) {
		if n := len(list); n > 0 && list[n-1].at == r.at {
			list = list[:n-1]
		}
		list = append(list, r)
	}
	for _, s := range t.Spans {
		if s.Track != sim.Port || s.From == s.To {
			continue
		}
		speed := float64(s.Words.Of(word)) / units.Seconds(s.To.Minus(s.From))
		if s.Write {
			enter(rate{s.From, 0, speed})
		} else {
			enter(rate{s.From, speed, 0})
		}
		enter(rate{at: s.To})
	}
	return list
}
