package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Calls of one kind to one server.
type sender struct {
	client      *http.Client
	url         string
	contentType string
}

func newSender(url, contentType string, connections int) sender {
	transport := &http.Transport{
		MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true,
	}
	return sender{&http.Client{Transport: transport, Timeout: 2 * time.Minute}, url, contentType}
}

// The status and the start of the answer.
type reply struct {
	status int
	text   string
}

func (s sender) post(body []byte) (reply, error) {
	request, err := http.NewRequest("POST", s.url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", s.contentType)
	response, err := s.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, string(text[:min(200, len(text))])}, err
}

const (
	repeats      = 200
	repeatsAfter = 50 * time.Millisecond
)

// Sends until the server accepts the body; returns the number of refusals. The server may be busy.
func (s sender) postUntilAccepted(body []byte) (refusals int, err error) {
	for ; refusals <= repeats; refusals++ {
		answer, failure := s.post(body)
		if failure == nil && answer.status < 300 {
			return refusals, nil
		}
		err = failure
		if failure == nil {
			err = fmt.Errorf("%s answered %d: %s", s.url, answer.status, answer.text)
			if answer.status < 500 && answer.status != http.StatusTooManyRequests {
				return refusals, err
			}
		}
		time.Sleep(repeatsAfter)
	}
	return refusals, err
}

type sent struct {
	seconds     float64
	latenciesMs []float64
	refusals    int64
}

// A closed loop: each connection sends its next body when the last one is acknowledged.
func (s sender) sendAll(bodies [][]byte, connections int) (sent, error) {
	var next, refusals atomic.Int64
	var failure atomic.Value
	latencies := make([]float64, len(bodies))
	began := time.Now()
	var workers sync.WaitGroup
	for range connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for failure.Load() == nil {
				at := next.Add(1) - 1
				if at >= int64(len(bodies)) {
					return
				}
				sentAt := time.Now()
				refused, err := s.postUntilAccepted(bodies[at])
				if err != nil {
					failure.Store(err)
				}
				refusals.Add(int64(refused))
				latencies[at] = millisecondsSince(sentAt)
			}
		}()
	}
	workers.Wait()
	if err := failure.Load(); err != nil {
		return sent{}, err.(error)
	}
	return sent{time.Since(began).Seconds(), latencies, refusals.Load()}, nil
}

// An open loop: a body each `every`, whether the ones before are acknowledged or not.
func (s sender) sendAtRate(bodies [][]byte, every time.Duration) (sent, error) {
	latencies := make([]float64, len(bodies))
	var failure atomic.Value
	var refusals atomic.Int64
	var calls sync.WaitGroup
	began := time.Now()
	for at := range bodies {
		due := began.Add(time.Duration(at) * every)
		time.Sleep(time.Until(due))
		calls.Add(1)
		go func(at int) {
			defer calls.Done()
			refused, err := s.postUntilAccepted(bodies[at])
			if err != nil {
				failure.Store(err)
			}
			refusals.Add(int64(refused))
			// From the time at which it was due: a late start is a part of the delay.
			latencies[at] = millisecondsSince(due)
		}(at)
	}
	calls.Wait()
	if err := failure.Load(); err != nil {
		return sent{}, err.(error)
	}
	return sent{time.Since(began).Seconds(), latencies, refusals.Load()}, nil
}

func millisecondsSince(from time.Time) float64 { return milliseconds(time.Since(from)) }

func milliseconds(took time.Duration) float64 { return float64(took.Microseconds()) / 1000 }

// The value below which this share of the values lies (nearest rank); not a number when there are none.
func percentile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := append([]float64{}, values...)
	sort.Float64s(sorted)
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
