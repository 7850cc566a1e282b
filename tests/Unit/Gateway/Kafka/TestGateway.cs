using Granary.Gateway;
using Granary.Gateway.Kafka;
using Granary.Support.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>The real listener on a free port, before partitions in memory.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private TestGateway(ServiceProvider services, FakeCluster cluster, LogLines log)
    {
        _services = services;
        Cluster = cluster;
        Log = log;
        Listener = services.GetRequiredService<KafkaListener>();
        Memory = services.GetRequiredService<GatewayMemory>();
        Apis = services.GetRequiredService<ApiTable>();
    }

    public FakeCluster Cluster { get; }

    public KafkaListener Listener { get; }

    public GatewayMemory Memory { get; }

    public ApiTable Apis { get; }

    public LogLines Log { get; }

    public static async Task<TestGateway> StartAsync(Action<KafkaOptions>? configure = null, FakeCluster? cluster = null)
    {
        cluster ??= new FakeCluster();
        var log = new LogLines();
        var services = new ServiceCollection();
        services.AddSingleton(cluster.Grains);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(log));
        services.AddGranaryGateway(options =>
        {
            options.Port = 0;
            configure?.Invoke(options);
        });
        var gateway = new TestGateway(services.BuildServiceProvider(), cluster, log);
        await gateway.Listener.StartAsync(CancellationToken.None);
        return gateway;
    }

    public Task<KafkaWire> ConnectAsync() => KafkaWire.ConnectAsync(Listener.EndPoint!, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Listener.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }
}

/// <summary>What was logged.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly Lock _gate = new();
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, string Text)> All
    {
        get
        {
            lock (_gate)
                return [.. _lines];
        }
    }

    public IEnumerable<string> Warnings => All.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text);

    public IEnumerable<string> Errors => All.Where(line => line.Level >= LogLevel.Error).Select(line => line.Text);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_gate)
            _lines.Add((logLevel, formatter(state, exception) + exception));
    }

    public void Dispose()
    {
    }
}
