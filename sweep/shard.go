package sweep

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is one of Count parts of a plan; Index counts from 0, people from 1.
// The zero Shard is not valid: everything is Shard{0, 1}.
type Shard struct {
	Index int `json:"index"`
	Count int `json:"count"`
}

// Whole is the only shard of a local sweep.
var Whole = Shard{0, 1}

// String prints "2/8".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index+1, s.Count) }

// check refuses what is no part of anything.
func (s Shard) check() error {
	if s.Index < 0 || s.Index >= s.Count || s.Count > MaxShards {
		return fmt.Errorf("there is no shard %d of %d", s.Index+1, s.Count)
	}
	return nil
}

// MaxShards bounds the parts of a plan: as many as an Indexed Job of Kubernetes
// may have completions.
const MaxShards = 100_000

// ParseShard reads "2/8": the second of eight.
func ParseShard(text string) (Shard, error) {
	index, count, _ := strings.Cut(text, "/")
	i, errI := strconv.Atoi(index)
	n, errN := strconv.Atoi(count)
	if errI != nil || errN != nil || i < 1 || i > n || n > MaxShards {
		return Shard{}, fmt.Errorf("%q is not a shard; write for example 1/8 for the first of eight", text)
	}
	return Shard{i - 1, n}, nil
}

// FromEnvironment finds the shard that a Slurm array task or a pod of an
// Indexed Job is, and the variable that says so; "" if it is none of them. The
// number of shards, if not 0, was given on the command line: then a task's
// number is its index, so that one task can be run again alone.
func FromEnvironment(getenv func(string) string, shards int) (s Shard, variable string, err error) {
	number := func(name string, otherwise int) int {
		text := getenv(name)
		if text == "" {
			return otherwise
		}
		v, e := strconv.Atoi(text)
		if e != nil && err == nil {
			err = fmt.Errorf("%s is %q, not a number", name, text)
		}
		return v
	}
	const task, pod = "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"
	switch {
	case getenv(task) != "":
		variable = task
		s = Shard{number(task, 0), shards}
		if shards == 0 {
			least, step := number("SLURM_ARRAY_TASK_MIN", 0), max(number("SLURM_ARRAY_TASK_STEP", 1), 1)
			s = Shard{(s.Index - least) / step, number("SLURM_ARRAY_TASK_COUNT", 0)}
		}
	case getenv(pod) != "":
		variable = pod
		s = Shard{number(pod, 0), shards}
	default:
		return Whole, "", nil
	}
	switch {
	case err != nil:
	case s.Count == 0:
		err = fmt.Errorf("%s is set, but not of how many: add --shards", variable)
	case s.Index < 0 || s.Index >= s.Count || s.Count > MaxShards:
		err = fmt.Errorf("%s makes this shard %d of %d; number the tasks from 0 without gaps, or add --shards", variable, s.Index+1, s.Count)
	}
	return s, variable, err
}

// run is how many neighbours of a plan of that length go to the same shard:
// neighbours share a baseline, and every shard gets some of everything.
func (s Shard) run(points int) int { return min(max(points/(8*s.Count), 1), 32) }

// Of returns the shard's part of a plan's points.
func (s Shard) Of(points []*Point) []*Point {
	var own []*Point
	for i, p := range points {
		if s.owns(i, len(points)) {
			own = append(own, p)
		}
	}
	return own
}

func (s Shard) owns(i, points int) bool { return i/s.run(points)%s.Count == s.Index }
