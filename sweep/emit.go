package sweep

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Job is a sweep on more than one machine: the same command, run once for each
// shard.
type Job struct {
	Shards  int
	Command []string // the program and its arguments, without --emit
	Out     string   // the folder of results, as the command names it
	Folder  string   // where it runs
	Image   string   // of the container
	Claim   string   // the PersistentVolumeClaim that is mounted at Folder
	CPUs    int      // for each shard
}

// quote makes one word of shell.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// comment is a word of shell in a comment, which has one line.
func comment(word string) string {
	if strings.ContainsFunc(word, unicode.IsControl) {
		return strconv.Quote(word)
	}
	return quote(word)
}

// largestArray is how many tasks a job array may have: Slurm's MaxArraySize by
// default, indices from 0 to 1000 (slurm.conf(5)).
const largestArray = 1001

// shardsOfTask is how many shards a task of a job array runs, one after the
// other, so that there are not more tasks than Slurm takes.
func shardsOfTask(shards int) int { return (shards + largestArray - 1) / largestArray }

// Task is the index of the task that runs a shard in the job array of
// [Job.WriteSlurm].
func (s Shard) Task() int { return s.Index / shardsOfTask(s.Count) }

// WriteSlurm writes a batch script: a job array with one task a shard, or a few
// shards where there are more than an array has tasks. A task can be run again
// alone: the number of shards is in the command, so that a shard's number stays
// its index.
func (j Job) WriteSlurm(w io.Writer) error {
	words := make([]string, len(j.Command))
	for i, word := range j.Command {
		words[i] = quote(word)
	}
	command := strings.Join(words, " ")
	last, each := Shard{j.Shards - 1, j.Shards}, shardsOfTask(j.Shards)
	again := Shard{min(3, last.Index), j.Shards}
	packed := ""
	run := "exec " + command
	if each > 1 {
		packed = fmt.Sprintf(", %d in each task: an array has at most %d tasks (MaxArraySize)", each, largestArray)
		run = fmt.Sprintf(`first=$((SLURM_ARRAY_TASK_ID * %d)) status=0
for ((shard = first; shard < first + %d && shard < %d; shard++)); do
  SLURM_ARRAY_TASK_ID=$shard %s || status=$?
done
exit $status`, each, each, j.Shards, command)
	}
	_, err := fmt.Fprintf(w, `#!/bin/bash
# A sweep in %d shards%s.
# Submit:                           sbatch sweep.sh
# What is missing afterwards:       accelsim sweep merge %s
# Shard %d again:                   sbatch --array=%d sweep.sh
#SBATCH --job-name=accelsim-sweep
#SBATCH --array=0-%d
#SBATCH --cpus-per-task=%d
#SBATCH --chdir=%s
#SBATCH --requeue
export GOMAXPROCS=${SLURM_CPUS_PER_TASK:-%d}
%s
`, j.Shards, packed, comment(j.Out), again.Index+1, again.Task(), last.Task(), j.CPUs, quote(j.Folder), j.CPUs, run)
	return err
}

// WriteKubernetes writes an Indexed Job with one pod a shard. The folder, with
// all files that the command names, is a volume that all pods share. A pod that
// the cluster takes away, by preemption or to drain a node, is no failure: it
// has the condition DisruptionTarget.
func (j Job) WriteKubernetes(w io.Writer) error {
	words := make([]string, len(j.Command))
	for i, word := range j.Command {
		words[i] = yamlText(word)
	}
	_, err := fmt.Fprintf(w, `# A sweep in %d shards. Start:      kubectl apply -f sweep.yaml
# What is missing afterwards:       accelsim sweep merge %s
apiVersion: batch/v1
kind: Job
metadata:
  name: accelsim-sweep
spec:
  completionMode: Indexed
  completions: %d
  parallelism: %d
  backoffLimitPerIndex: 3
  maxFailedIndexes: %d
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - {type: DisruptionTarget, status: "True"}
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: shard
          image: %s
          workingDir: %s
          command: [%s]
          resources:
            requests: {cpu: %q}
            limits: {cpu: %q}
          volumeMounts:
            - {name: sweep, mountPath: %s}
      volumes:
        - name: sweep
          persistentVolumeClaim: {claimName: %s}
`, j.Shards, comment(j.Out), j.Shards, j.Shards, j.Shards, yamlText(j.Image), yamlText(j.Folder),
		strings.Join(words, ", "), fmt.Sprint(j.CPUs), fmt.Sprint(j.CPUs), yamlText(j.Folder), yamlText(j.Claim))
	return err
}

// yamlText writes a double-quoted YAML scalar.
func yamlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
