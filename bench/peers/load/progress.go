package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Collects figures, and prints each step when it begins and each figure when it is known.
type progress struct {
	out     io.Writer
	began   time.Time
	mutex   sync.Mutex
	figures []figure
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, began: time.Now(), figures: []figure{}}
}

func (p *progress) step(format string, values ...any) {
	fmt.Fprintf(p.out, "%s %s\n", clockText(time.Since(p.began)), fmt.Sprintf(format, values...))
}

func (p *progress) add(figures ...figure) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, one := range figures {
		fmt.Fprintf(p.out, "%s %s\n", clockText(-1), figureText(one))
	}
	p.figures = append(p.figures, figures...)
}

func (p *progress) printJSON(to io.Writer) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	_ = json.NewEncoder(to).Encode(p.figures)
}

// The exit code of a program that SIGINT ended.
const interrupted = 130

// On a signal, prints the figures so far and ends.
func (p *progress) printOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		p.printJSON(os.Stdout)
		os.Exit(interrupted)
	}()
}

// Minutes and seconds in seven characters; blank for a negative time.
func clockText(elapsed time.Duration) string {
	if elapsed < 0 {
		return "       "
	}
	seconds := int(elapsed.Seconds())
	return fmt.Sprintf("%4d:%02d", seconds/60, seconds%60)
}

func figureText(one figure) string {
	text := fmt.Sprintf("%s: %s %s", one.Description, numberText(one.Value), one.Unit)
	if one.Wrong > 0 {
		text += fmt.Sprintf(", %d answers were not right", one.Wrong)
	}
	if one.Reason != "" {
		text += ": " + one.Reason
	}
	if one.Note != "" {
		text += " (" + one.Note + ")"
	}
	return text
}

// Three significant digits, and all digits before the point.
func numberText(value float64) string {
	if math.Abs(value) >= 1000 {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(value, 'g', 3, 64)
}
