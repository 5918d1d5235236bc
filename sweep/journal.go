package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A folder of results holds, for each version of the program, the last plan
// and the journals:
//
//	DIR/results.csv, DIR/results.parquet
//	DIR/points/<version>/plan.jsonl
//	DIR/points/<version>/shard-2-of-8-<random>.jsonl
//
// Every line of a plan or journal is a checksum, a space and a JSON value; the
// first is a header.
const (
	pointsFolder = "points"
	planFile     = "plan.jsonl"
	journalExt   = ".jsonl"
	schema       = "accelsim.sweep/1"
)

// versionFolder is where a version's points are.
func versionFolder(dir, version string) string { return filepath.Join(dir, pointsFolder, version) }

// Versions returns the versions of the program that have points in a folder.
func Versions(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, pointsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

type header struct {
	Schema  string   `json:"schema"`
	Version string   `json:"version"`
	Shard   *Shard   `json:"shard,omitempty"`  // of a journal
	Plan    string   `json:"plan,omitempty"`   // of a journal: the plan's hash
	Inputs  []string `json:"inputs,omitempty"` // of a plan
	Points  int      `json:"points,omitempty"` // of a plan
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// line returns a value's JSON with its checksum.
func line(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text), nil
}

// parseLine checks a line, without its end, and decodes it.
func parseLine(text []byte, into any) error {
	sum, value, ok := bytes.Cut(text, []byte(" "))
	if !ok || fmt.Sprintf("%08x", crc32.Checksum(value, castagnoli)) != string(sum) {
		return errors.New("the checksum is wrong")
	}
	return json.Unmarshal(value, into)
}

// syncEvery bounds what a power cut, not a kill, can take.
const syncEvery = time.Second

// Journal is the file to which one process appends what it has finished.
type Journal struct {
	file   *os.File
	synced time.Time
}

// NewJournal creates a journal for this process beside those of others, in a
// folder to which the plan has been saved.
func NewJournal(dir string, p *Plan, shard Shard) (*Journal, error) {
	folder := versionFolder(dir, p.Fixed.Version)
	f, err := os.CreateTemp(folder, fmt.Sprintf("shard-%d-of-%d-*%s", shard.Index+1, shard.Count, journalExt))
	if err != nil {
		return nil, err
	}
	j := &Journal{file: f, synced: time.Now()}
	text, err := line(header{Schema: schema, Version: p.Fixed.Version, Shard: &shard, Plan: p.Hash()})
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// Append adds a record with one write, so that it is there whole or torn at the
// end of the file. The file is flushed to disk once a second.
func (j *Journal) Append(r Record) error {
	text, err := line(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(text); err != nil {
		return err
	}
	if time.Since(j.synced) < syncEvery {
		return nil
	}
	j.synced = time.Now()
	return j.file.Sync()
}

// Close flushes and closes the file.
func (j *Journal) Close() error { return errors.Join(j.file.Sync(), j.file.Close()) }

// Finished is what journals hold.
type Finished struct {
	Records map[string]Record
	// Shards are those that left a journal, as they were cut; a local sweep is
	// shard 1 of 1.
	Shards map[Shard]bool
	// Corrupt names damaged files and lines; what is intact is in Records.
	Corrupt []string
}

// ReadJournals reads all journals of one version.
func ReadJournals(dirs []string, version string) (*Finished, error) {
	all := &Finished{Records: map[string]Record{}, Shards: map[Shard]bool{}}
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(escapeGlob(versionFolder(dir, version)), "shard-*"+journalExt))
		if err != nil {
			return nil, err
		}
		slices.Sort(names)
		for _, name := range names {
			if err := all.read(name, version); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

func (all *Finished) read(name, version string) error {
	var own *Shard
	return eachLine(name, func(number int, text []byte, torn bool) error {
		damaged := func(why string) {
			all.Corrupt = append(all.Corrupt, fmt.Sprintf("%s:%d: %s", name, number, why))
		}
		if number == 1 {
			var h header
			err := parseLine(text, &h)
			switch {
			case err != nil && torn: // killed while it began
			case err != nil:
				damaged(err.Error())
			case h.Schema != schema || h.Version != version || h.Shard == nil:
				damaged("this is not a journal of " + schema + " and version " + version)
			default:
				own = h.Shard
				all.Shards[*own] = true
			}
			return nil
		}
		var r Record
		err := parseLine(text, &r)
		switch {
		case err != nil && torn: // the point that was being written is not finished
			return nil
		case err != nil:
			damaged(err.Error())
			return nil
		case own == nil:
			return nil // whose it is, is not known
		}
		if before, twice := all.Records[r.Key]; twice && !slices.Equal(before.Values, r.Values) {
			damaged("point " + r.Key + " has another result than in another journal; the program or its inputs are not what their version says")
			return nil
		}
		all.Records[r.Key] = r
		return nil
	})
}

// eachLine calls f for the lines of a file; the last is torn if it has no end.
func eachLine(name string, f func(number int, text []byte, torn bool) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<16)
	for number := 1; ; number++ {
		text, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(text) == 0 {
			return nil
		}
		whole, ended := bytes.CutSuffix(text, []byte("\n"))
		if err := f(number, whole, !ended); err != nil {
			return err
		}
	}
}

// planned is a line of a plan file.
type planned struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// Hash identifies a plan's points and their order.
func (p *Plan) Hash() string {
	keys := make([]string, len(p.Points))
	for i, point := range p.Points {
		keys[i] = point.Key
	}
	return hash([]any{p.Inputs, keys})
}

// Save writes the plan into a folder of results, for [Merge] to know what is
// missing. All shards write the same.
func (p *Plan) Save(dir string) error {
	folder := versionFolder(dir, p.Fixed.Version)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return WriteFile(filepath.Join(folder, planFile), func(w io.Writer) error {
		text, err := line(header{Schema: schema, Version: p.Fixed.Version, Inputs: p.Inputs, Points: len(p.Points)})
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		for _, point := range p.Points {
			if text, err = line(planned{point.Key, point.Values}); err != nil {
				return err
			}
			if _, err := w.Write(text); err != nil {
				return err
			}
		}
		return nil
	})
}

// LoadPlan reads the plan that the last sweep of a version left in a folder.
// Its points can be laid out, not simulated.
func LoadPlan(dir, version string) (*Plan, error) {
	name := filepath.Join(versionFolder(dir, version), planFile)
	p := &Plan{Fixed: Fixed{Version: version}}
	points := 0
	err := eachLine(name, func(number int, text []byte, _ bool) error {
		var h header
		var point planned
		var err error
		if number == 1 {
			err = parseLine(text, &h)
			p.Inputs, points = h.Inputs, h.Points
			if err == nil && (h.Schema != schema || h.Version != version) {
				err = errors.New("this is not a plan of " + schema + " and version " + version)
			}
		} else {
			err = parseLine(text, &point)
			if err == nil && len(point.Values) != len(p.Inputs) {
				err = fmt.Errorf("%d values for %d inputs", len(point.Values), len(p.Inputs))
			}
			p.Points = append(p.Points, &Point{Key: point.Key, Values: point.Values})
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
		return nil
	})
	if err == nil && len(p.Points) != points {
		err = fmt.Errorf("%s: %d points of %d are there", name, len(p.Points), points)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// WriteFile writes a file whole or not at all: to a temporary file beside it,
// then renamed.
func WriteFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err := errors.Join(write(buffered), buffered.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
