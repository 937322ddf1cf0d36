package com.amazonaws.services.lambda.runtime.api.client.logging;

import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;

/** Ends each message of the function's logger with a line break: on AWS a message is an event of its own. */
public class StdOutLogSink implements LogSink {
    @Override
    public void log(byte[] message) {
        log(LogLevel.UNDEFINED, LogFormat.TEXT, message);
    }

    @Override
    public synchronized void log(LogLevel level, LogFormat format, byte[] message) {
        System.out.write(message, 0, message.length);
        if (message.length == 0 || message[message.length - 1] != '\n') System.out.write('\n');
        System.out.flush();
    }

    @Override
    public void close() {}
}
