//go:build unix

package interrupt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A program that waits in one of two ways, as this test's own process.
func TestMain(m *testing.M) {
	kind := os.Getenv("INTERRUPT_TEST")
	if kind == "" {
		os.Exit(m.Run())
	}
	ctx := Watch(context.Background(), func() { fmt.Println("cleaned") })
	if kind == "graceful" {
		var stop func()
		ctx, stop = Context(ctx)
		defer stop()
	}
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println(context.Cause(ctx))
	time.Sleep(10 * time.Second)
}

// waiting starts such a program and returns what it prints, line by line.
func waiting(t *testing.T, kind string, ignore bool) (*exec.Cmd, func() string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	if ignore {
		c = exec.Command("sh", "-c", `trap "" HUP; exec "$0"`, os.Args[0])
	}
	c.Env = append(os.Environ(), "INTERRUPT_TEST="+kind)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	lines := bufio.NewScanner(out)
	next := func() string { lines.Scan(); return lines.Text() }
	if got := next(); got != "ready" {
		t.Fatal(got)
	}
	return c, next
}

// endedBy checks that a program ended by a signal.
func endedBy(t *testing.T, c *exec.Cmd, s syscall.Signal) {
	t.Helper()
	err := c.Wait()
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if !errors.As(err, new(*exec.ExitError)) || !ok || !status.Signaled() || status.Signal() != s {
		t.Errorf("%v: it ended with %v", s, err)
	}
}

func TestASignalCleansUpAndEndsTheProgram(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		c, next := waiting(t, "plain", false)
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != "cleaned" {
			t.Errorf("%v: it says %q", s, got)
		}
		endedBy(t, c, s)
	}
}

func TestTheSecondSignalEndsWhatKeepsItsWork(t *testing.T) {
	c, next := waiting(t, "graceful", false)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "interrupted (terminated)" {
		t.Errorf("it says %q", got)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "cleaned" {
		t.Errorf("it says %q", got)
	}
	endedBy(t, c, syscall.SIGINT)
}

// nohup has a program ignore that its terminal went away.
func TestASignalThatIsIgnoredStaysSo(t *testing.T) {
	c, next := waiting(t, "plain", true)
	if err := errors.Join(c.Process.Signal(syscall.SIGHUP), c.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "cleaned" {
		t.Errorf("it says %q", got)
	}
	endedBy(t, c, syscall.SIGTERM)
}
