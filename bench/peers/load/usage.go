package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Ticks a second of the CPU times in /proc: 100 on every common Linux.
const ticksPerSecond = 100

type processStat struct {
	parent int
	// Own CPU seconds, and those of ended children that the process has waited for.
	cpuSeconds float64
	rssBytes   int64
}

// Reads a line of /proc/PID/stat. The name in parentheses may hold spaces and parentheses.
func parseStat(line string) (processStat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return processStat{}, fmt.Errorf("no name in %q", line)
	}
	// The state, which is field 3 of the line, is the first of these.
	fields := strings.Fields(line[end+1:])
	if len(fields) < 22 {
		return processStat{}, fmt.Errorf("%d fields after the name in %q", len(fields), line)
	}
	var numbers [22]int64
	for i := 1; i < 22; i++ {
		// Fields beyond the signed range are addresses and limits, which are not used here.
		numbers[i], _ = strconv.ParseInt(fields[i], 10, 64)
	}
	ticks := numbers[11] + numbers[12] + numbers[13] + numbers[14]
	return processStat{
		parent:     int(numbers[1]),
		cpuSeconds: float64(ticks) / ticksPerSecond,
		rssBytes:   numbers[21] * int64(os.Getpagesize()),
	}, nil
}

// Sums over a process and all processes below it.
type usage struct {
	cpuSeconds float64
	rssBytes   int64
}

func usageOf(root int) usage {
	stats := map[int]processStat{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		// A process may have ended since.
		if line, err := os.ReadFile(path); err == nil {
			if stat, err := parseStat(string(line)); err == nil {
				stats[pid] = stat
			}
		}
	}
	return sumOfTree(root, stats)
}

func sumOfTree(root int, stats map[int]processStat) usage {
	var sum usage
	for pid, stat := range stats {
		for at := pid; at > 1; at = stats[at].parent {
			if at == root {
				sum.cpuSeconds += stat.cpuSeconds
				sum.rssBytes += stat.rssBytes
				break
			}
		}
	}
	return sum
}

// CPU seconds of this process.
func ownCPUSeconds() float64 {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	return time.Duration(own.Utime.Nano() + own.Stime.Nano()).Seconds()
}

// Waits until the processes use less than a twentieth of a core for two seconds; false when they do not within the
// seconds.
func untilIdle(cpuSeconds func() float64, everySecond func(), most int) bool {
	last := cpuSeconds()
	for quiet, second := 0, 0; second < most; second++ {
		everySecond()
		now := cpuSeconds()
		if now-last < 0.05 {
			quiet++
		} else {
			quiet = 0
		}
		last = now
		if quiet == 2 {
			return true
		}
	}
	return false
}
