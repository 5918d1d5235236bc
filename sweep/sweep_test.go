package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/accelsim-dev/accelsim/analytic"
)

const smallGrid = "net: lenet1\nk: [3, 4, 20]\nn: [1, 2, 4]\nbatch: [8, 16]\nset: {dram.device: [ddr4-2400, hbm2]}\n"

// evaluateAll runs a plan with that many workers.
func evaluateAll(t *testing.T, p *Plan, workers int) *Records {
	t.Helper()
	records := NewRecords()
	err := Run(context.Background(), p, p.Points, Settings{Workers: workers, Finish: func(r Record) error {
		if records.Has(r.Key) {
			t.Errorf("%s is finished twice", r.Key)
		}
		records.Add(r)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func tables(t *testing.T, p *Plan, records *Records) string {
	t.Helper()
	table, missing := NewTable(p, records)
	if len(missing) > 0 {
		t.Fatalf("%d points are missing", len(missing))
	}
	var out bytes.Buffer
	if err := errors.Join(table.WriteCSV(&out), table.WriteParquet(&out), table.WriteJSON(&out, nil)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestSameTablesWhateverTheNumberOfWorkers(t *testing.T) {
	p := plan(t, smallGrid)
	one, many := tables(t, p, evaluateAll(t, p, 1)), tables(t, p, evaluateAll(t, p, 7))
	if one != many {
		t.Error("tables differ between 1 and 7 workers")
	}
}

// The baseline that points share is that of a point alone.
func TestSharedBaselineChangesNothing(t *testing.T) {
	p := plan(t, smallGrid)
	together := evaluateAll(t, p, 2)
	for _, i := range []int{3, len(p.Points) - 1} {
		alone := *p
		alone.Points = p.Points[i : i+1]
		want, _ := together.Get(p.Points[i].Key)
		got, _ := evaluateAll(t, &alone, 1).Get(p.Points[i].Key)
		if d := cmp.Diff(want, got); d != "" || got.Status != OK {
			t.Error(d)
		}
	}
}

func TestRunStopsWhenAskedAndWhenARecordCannotBeKept(t *testing.T) {
	p := plan(t, smallGrid)
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := Run(ctx, p, p.Points, Settings{Workers: 2, Finish: func(Record) error {
		if n++; n == 2 {
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) || n == len(p.Points) {
		t.Errorf("after %d points: %v; want context.Canceled", n, err)
	}
	full := errors.New("the disk is full")
	if err := Run(context.Background(), p, p.Points, Settings{Finish: func(Record) error { return full }}); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

// minutes is a grid of one point that takes minutes: 20,000 tiles a step.
const minutes = "{net: alexnet, hw: zcu102, set: {onchip.capacity: 64KiB}, k: 10, n: 1}"

// A point that takes minutes ends when the sweep is told to, and has no record:
// nothing is known of it.
func TestPointUnderWayIsStopped(t *testing.T) {
	p := plan(t, minutes)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(200*time.Millisecond, cancel)
	begun := time.Now()
	err := Run(ctx, p, p.Points, Settings{Workers: 2, Finish: func(r Record) error {
		t.Errorf("the point is %s: %s", r.Status, r.Reason)
		return nil
	}})
	if took := time.Since(begun); !errors.Is(err, context.Canceled) || took > 20*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

// journalOf writes records to a journal and returns its name.
func journalOf(t *testing.T, dir string, p *Plan, s Shard, records []Record) string {
	t.Helper()
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	j, err := NewJournal(dir, p, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := j.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return j.file.Name()
}

func someRecords(p *Plan) (records []Record) {
	for i, point := range p.Points {
		records = append(records, Record{Key: point.Key, Status: OK, Values: []Value{{"cycles.total", strconv.Itoa(i)}, {"seconds", "1.5e-3"}}})
	}
	return records
}

// Whatever the length to which a journal is cut, the points whose lines are
// whole are there, and nothing is called corrupt.
func TestTornJournalLosesOnlyTheTornPoint(t *testing.T) {
	p := plan(t, "{net: lenet1, k: [1, 2], n: [1, 2]}")
	records := someRecords(p)
	dir := t.TempDir()
	name := journalOf(t, dir, p, Whole, records)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(whole) {
		if err := os.WriteFile(name, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := ReadJournals([]string{dir}, "test")
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(whole[:size], []byte("\n"))
		if whole[size] == '\n' {
			lines++ // only the end of the line is missing
		}
		if want := max(lines-1, 0); got.Records.Len() != want || got.Corrupt != nil {
			t.Errorf("cut to %d bytes: %d records, want %d; corrupt: %v", size, got.Records.Len(), want, got.Corrupt)
		}
	}
}

func TestCorruptLineIsNamedAndTheOthersAreUsed(t *testing.T) {
	p := plan(t, "{net: lenet1, k: [1, 2], n: [1, 2]}")
	dir := t.TempDir()
	name := journalOf(t, dir, p, Whole, someRecords(p))
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines[2][20] ^= 1
	if err := os.WriteFile(name, bytes.Join(lines, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := ReadJournals([]string{dir}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if got.Records.Len() != 3 || len(got.Corrupt) != 1 || !strings.HasPrefix(got.Corrupt[0], name+":3: ") {
		t.Errorf("%d records, corrupt: %v; want 3 records and line 3 named", got.Records.Len(), got.Corrupt)
	}
}

func TestMergeSaysWhatEachShardLacks(t *testing.T) {
	p := plan(t, "{net: lenet1, k: all, n: all}") // 24 points
	records := someRecords(p)
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, dir := range dirs {
		s := Shard{2 * i, 3} // the second shard is missing
		var own []Record
		for j, r := range records {
			if s.owns(j, len(p.Points)) && (i == 0 || len(own) < 5) {
				own = append(own, r)
			}
		}
		journalOf(t, dir, p, s, own)
	}
	m, err := Merge(dirs, "test")
	if err != nil {
		t.Fatal(err)
	}
	want := []Lack{{Shard{1, 3}, 8, 8, false}, {Shard{2, 3}, 8, 3, true}}
	if d := cmp.Diff(want, m.Ragged); d != "" || len(m.Missing) != 11 {
		t.Errorf("%d missing, want 11; %s", len(m.Missing), d)
	}
	if _, err := Merge(dirs, "another"); err == nil {
		t.Error("results of another version are merged")
	}
	other := plan(t, "{net: lenet1, k: 1}")
	journalOf(t, dirs[1], other, Whole, nil)
	if _, err := Merge(dirs, "test"); err == nil || !strings.Contains(err.Error(), "different sweeps") {
		t.Errorf("folders of different sweeps: %v", err)
	}
}

func TestContradictingJournalsAreNamed(t *testing.T) {
	p := plan(t, "{net: lenet1, k: 1}")
	dir := t.TempDir()
	records := someRecords(p)
	journalOf(t, dir, p, Whole, records)
	records[0].Values = []Value{{"cycles.total", "7"}}
	journalOf(t, dir, p, Whole, records)
	got, err := ReadJournals([]string{dir}, "test")
	if err != nil || len(got.Corrupt) != 1 || !strings.Contains(got.Corrupt[0], "another result") {
		t.Errorf("corrupt: %v, error %v", got.Corrupt, err)
	}
}

func TestShardsPartitionThePlan(t *testing.T) {
	for _, points := range []int{1, 7, 100, 1000} {
		all := make([]*Point, points)
		for i := range all {
			all[i] = &Point{k: int32(i)}
		}
		for _, count := range []int{1, 2, 8, 130} {
			seen, most, least := make([]int, points), 0, points
			for i := range count {
				own := Shard{i, count}.Of(all)
				most, least = max(most, len(own)), min(least, len(own))
				for _, p := range own {
					seen[p.k]++
				}
			}
			if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
				t.Errorf("%d points in %d shards: not each point once", points, count)
			}
			if points >= 100 && count <= 8 && most-least > points/(8*count)+1 {
				t.Errorf("%d points in %d shards: from %d to %d points", points, count, least, most)
			}
		}
	}
}

func TestShardOfTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		env    string
		shards int
		want   string
	}{
		{"", 0, "1/1"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_MIN=0", 0, "4/8"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_MIN=1", 0, "3/8"},
		{"SLURM_ARRAY_TASK_ID=6 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_STEP=2", 0, "4/4"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_MIN=3", 8, "4/8"}, // one task again
		{"SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1", 0, "without gaps"},
		{"SLURM_ARRAY_TASK_ID=x", 8, "not a number"},
		{"SLURM_ARRAY_TASK_ID=8", 8, "shard 9 of 8"},
		{"JOB_COMPLETION_INDEX=0", 4, "1/4"},
		{"JOB_COMPLETION_INDEX=0", 0, "add --shards"},
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		s, _, err := FromEnvironment(func(name string) string { return env[name] }, c.shards)
		if got := s.String(); err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, --shards %d: %s, %v; want %s", c.env, c.shards, got, err, c.want)
		}
	}
	for _, text := range []string{"0/8", "9/8", "1", "a/b", "1/8/2", "-1/8", "1/9999999"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is shard %v", text, s)
		}
	}
}

// tableOf makes a table of a cell per row and column, all inputs but the status,
// which is ok if it is no column.
func tableOf(columns string, rows ...string) *Table {
	p, records := &Plan{Inputs: strings.Fields(columns)}, NewRecords()
	for i, r := range rows {
		cells, key := strings.Fields(r), Key{byte(i + 1)}
		record := Record{Key: key, Status: OK}
		for j, c := range cells {
			if c == "-" {
				cells[j] = ""
			}
		}
		if p.Inputs[0] == columnStatus {
			record.Status, cells = Status(cells[0]), cells[1:]
		}
		records.Add(record)
		p.Points = append(p.Points, &Point{Key: key, combination: &combination{values: cells}})
	}
	if p.Inputs[0] == columnStatus {
		p.Inputs = p.Inputs[1:]
	}
	t, _ := NewTable(p, records, columnPareto)
	return t
}

func TestParetoFront(t *testing.T) {
	table := tableOf("status a b",
		"ok 1 9", "ok 2 5", "ok 2 6", "ok 3 5", "ok 9 1", "ok 9 1", "ok 0 -", "mismatch 0 0")
	table.Front([]Criterion{{"a", false}, {"b", false}})
	var got []string
	for i := range table.rows {
		got = append(got, table.Cell(i, "pareto"))
	}
	if want := "true true false false true true false false"; strings.Join(got, " ") != want {
		t.Errorf("front %v, want %s", got, want)
	}
	table.Front([]Criterion{{"a", true}, {"b", true}}) // the more the better
	table.KeepFront()
	if len(table.rows) != 5 {
		t.Errorf("%d rows on the front of the largest, want 5", len(table.rows))
	}
}

func TestOrder(t *testing.T) {
	table := tableOf("name size", "b 2MiB", "a 512KiB", "c -", "d 1GiB", "e 2MiB")
	order := func(by ...Criterion) string {
		table.Order(by)
		var names string
		for i := range table.rows {
			names += table.Cell(i, "name")
		}
		return names
	}
	if got := order(Criterion{"size", false}); got != "abedc" {
		t.Errorf("ascending: %s, want abedc", got)
	}
	if got := order(Criterion{"size", true}, Criterion{"name", true}); got != "debac" {
		t.Errorf("descending: %s, want debac", got)
	}
}

func TestParquetHoldsWhatTheTableHolds(t *testing.T) {
	table := tableOf("net k cycles share pass none", "lenet1 1 9007199254740993 0.25 true -", "alexnet 2 - 1e-3 false -", "x 3 7 3 true -")
	var out bytes.Buffer
	if err := table.WriteParquet(&out); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range file.Schema().Columns() {
		names = append(names, strings.Join(path, "."))
	}
	if d := cmp.Diff(table.Columns, names); d != "" {
		t.Errorf("columns: %s", d)
	}
	rows := make([]parquet.Row, 3)
	if n, err := parquet.NewReader(file).ReadRows(rows); n != 3 {
		t.Fatalf("%d rows: %v", n, err)
	}
	want := []string{
		"lenet1 1 9007199254740993 0.25 true <null>", "alexnet 2 <null> 0.001 false <null>", "x 3 7 3 true <null>",
	}
	for i, row := range rows {
		var cells []string
		for _, v := range row[:len(table.Inputs)] {
			cells = append(cells, fmt.Sprint(v))
		}
		if got := strings.Join(cells, " "); got != want[i] {
			t.Errorf("row %d: %s, want %s", i, got, want[i])
		}
	}
}

func TestWeights(t *testing.T) {
	w, err := ParseWeights("accuracy=2, macs=0")
	if want := (analytic.Weights{AccuracyLoss: 2, Memory: 0.25, MemoryAccess: 0.25, Adds: 0.25}); err != nil || w != want {
		t.Errorf("weights %v, %v; want %v", w, err, want)
	}
	for _, text := range []string{"x=1", "macs", "macs=-1", "macs=NaN"} {
		if _, err := ParseWeights(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func FuzzJournal(f *testing.F) {
	head, _ := line(header{Schema: schema, Version: "test", Shard: &Shard{0, 1}})
	one, _ := line(Record{Key: Key{1}, Status: OK, Values: []Value{{"x", "1"}}})
	f.Add(append(head, one...))
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "shard-1-of-1-1.jsonl")
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
		all := &Finished{Records: NewRecords(), Shards: map[Shard]bool{}}
		if err := all.read(name, "test"); err != nil {
			t.Fatal(err)
		}
	})
}

// TestResidencyIsAnAxis: points differ in what stays on chip; with the equations'
// traffic nothing does, and such points say why they are none.
func TestResidencyIsAnAxis(t *testing.T) {
	p := plan(t, "net: lenet1\nk: 4\nn: 2\nbatch: 8\ntraffic: [all, equations]\nresidency: [layer, resident]\nskip-unread: [no, yes]\n")
	access := map[string]string{}
	records := evaluateAll(t, p, 2)
	for _, point := range p.Points {
		r, _ := records.Get(point.Key)
		value := func(name string) string { return point.Value(slices.Index(p.Inputs, name)) }
		name := value("traffic") + " " + value("residency") + " " + value("skip-unread")
		switch {
		case r.Status == OK:
			access[name] = r.Values[0].Text
		case !strings.HasPrefix(name, "equations") || r.Reason != "nothing is resident and every result is stored in the equations' traffic":
			t.Errorf("%s: %s, %s", name, r.Status, r.Reason)
		}
	}
	if len(access) != 5 { // four with all traffic, the paper's with the equations'
		t.Errorf("%d points: %v", len(access), access)
	}
	if layer := access["all layer no"]; layer != access["equations layer no"] || layer == access["all layer yes"] ||
		layer == access["all resident no"] || access["all resident yes"] == access["all resident no"] {
		t.Errorf("memory access: %v", access)
	}
}
