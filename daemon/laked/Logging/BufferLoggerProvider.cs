// SPDX-License-Identifier: MPL-2.0
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Logging;

/// <summary>Loggers that format a line and hand it to the buffer.</summary>
internal sealed class BufferLoggerProvider(LogBuffer buffer, TimeProvider time) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new BufferLogger(buffer, time, ShortName(categoryName));

    public void Dispose()
    {
    }

    private static string ShortName(string category) => category[(category.LastIndexOf('.') + 1)..];

    private sealed class BufferLogger(LogBuffer buffer, TimeProvider time, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }
            string text = formatter(state, exception);
            string tail = exception is null ? "" : " | " + exception.ToString().ReplaceLineEndings(" | ");
            buffer.Add($"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Level(logLevel)} {category} {eventId.Id} {text}{tail}");
        }

        private static string Level(LogLevel level) => level switch
        {
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "error",
            LogLevel.Critical => "crit",
            _ => "debug",
        };
    }
}
