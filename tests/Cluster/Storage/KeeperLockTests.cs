using Granary.Grains.Storage;
using Granary.Support.Time;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Granary.Cluster.Storage;

/// <summary>A silo that is gone or hangs does not keep the others from looking after slabs for long, or at least they say so.</summary>
public sealed class KeeperLockTests(PrivatePostgres server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Sessions.LaneName)]
    [InlineData(Sessions.KeeperName)]
    public async Task Sessions_LetPostgresNoticeAMachineThatIsGone(string name)
    {
        await using var source = await server.CreateDatabaseAsync();
        await using var session = await Sessions.OpenAsync(source, name, TimeSpan.FromSeconds(10), Cancellation);
        // The server is reached by a unix socket, where the values are not shown: who set them is.
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_settings WHERE name LIKE 'tcp\\_%' AND source = 'session'", session);
        Assert.Equal(4L, await command.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task Keeper_WhoseLockIsWithASessionThatDoesNothing_SaysSoEveryTenMinutes()
    {
        await using var test = await TestStore.StartAsync(server);
        var clock = new FakeClock();
        var log = new Warnings();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        await using var store = new PostgresPartitionStore(test.Source, new StorageOptions(), clock, loggers);
        await using var holder = await test.Source.OpenConnectionAsync(Cancellation);
        await ExecuteAsync(holder, $"SELECT pg_advisory_lock({LogSchema.LockSpace}, {LogSchema.KeeperLock})");

        async Task<int> RunAfterAsync(double minutes)
        {
            clock.Advance(TimeSpan.FromMinutes(minutes));
            Assert.False((await store.Keeper.RunAsync(Cancellation)).Ran);
            return log.Lines.Count;
        }

        Assert.Equal((0, 0, 1, 1, 2), (await RunAfterAsync(0), await RunAfterAsync(9.9), await RunAfterAsync(0.1), await RunAfterAsync(9), await RunAfterAsync(1)));
        Assert.Contains($"session {holder.ProcessID} (of a unix socket)", log.Lines[0], StringComparison.Ordinal);
        Assert.Contains("for 00:20:00", log.Lines[1], StringComparison.Ordinal);

        // It goes on: a long run is no stuck one.
        await ExecuteAsync(holder, "SELECT 1");
        Assert.Equal((2, 2), (await RunAfterAsync(10), await RunAfterAsync(9.9)));
        await ExecuteAsync(holder, $"SELECT pg_advisory_unlock({LogSchema.LockSpace}, {LogSchema.KeeperLock})");
        Assert.True((await store.Keeper.RunAsync(Cancellation)).Ran);
        await ExecuteAsync(holder, $"SELECT pg_advisory_lock({LogSchema.LockSpace}, {LogSchema.KeeperLock})");
        Assert.Equal(2, await RunAfterAsync(10));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private sealed class Warnings : ILoggerProvider, ILogger
    {
        public List<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning)
                Lines.Add(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
