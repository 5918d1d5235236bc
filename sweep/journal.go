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

	"github.com/accelsim-dev/accelsim/internal/input"
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

// header is the first line of a journal.
type header struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	Shard   *Shard `json:"shard"`
	Plan    Key    `json:"plan"` // the plan's hash
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
	text, err := line(header{schema, p.Fixed.Version, &shard, p.Hash()})
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
	Records *Records
	// Shards are those that left a journal, as they were cut; a local sweep is
	// shard 1 of 1.
	Shards map[Shard]bool
	// Corrupt names damaged files and lines; what is intact is in Records.
	Corrupt []string
}

// ReadJournals reads all journals of one version.
func ReadJournals(dirs []string, version string) (*Finished, error) {
	all := &Finished{Records: NewRecords(), Shards: map[Shard]bool{}}
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
			case h.Shard.check() != nil:
				damaged(h.Shard.check().Error())
			default:
				own = h.Shard
				all.Shards[*own] = true
			}
			return nil
		}
		var r Record
		err := parseLine(text, &r)
		if err == nil {
			err = r.check()
		}
		switch {
		case err != nil && torn: // the point that was being written is not finished
			return nil
		case err != nil:
			damaged(err.Error())
			return nil
		case own == nil:
			return nil // whose it is, is not known
		}
		if all.Records.contradicts(r) {
			damaged("point " + r.Key.String() + " has another result than in another journal; the program or its inputs are not what their version says")
			return nil
		}
		all.Records.Add(r)
		return nil
	})
}

// maxRecord bounds a line of a journal or plan.
const maxRecord = input.MaxText

// eachLine calls f for the lines of a file; the last is torn if it has no end.
func eachLine(name string, f func(number int, text []byte, torn bool) error) error {
	file, size, err := input.Data(name)
	if err != nil {
		return err
	}
	defer file.Close()
	// A journal may grow while it is read.
	r := bufio.NewReaderSize(file, int(min(size+1<<20, maxRecord)))
	for number := 1; ; number++ {
		text, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("%s:%d: a line of more than %d bytes; this is no journal", name, number, maxRecord)
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("%s: %w", name, err)
		case len(text) == 0:
			return nil
		}
		whole, ended := bytes.CutSuffix(text, []byte("\n"))
		if err := f(number, whole, !ended); err != nil {
			return err
		}
	}
}
