using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka;

/// <summary>What all connections of a listener share.</summary>
internal sealed record ConnectionSetup(
    Listener Listener,
    ApiTable Apis,
    KafkaOptions Options,
    GatewayMemory Memory,
    ConnectionReports Reports,
    TimeProvider Time);

/// <summary>What connections tell people: metrics, and log lines of which a hostile client cannot cause many.</summary>
internal sealed class ConnectionReports(GatewayMetrics metrics, ILogger<KafkaListener> log, TimeProvider time)
{
    private const int LinesPerInterval = 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    private readonly LogAllowance _bad = new(time, LinesPerInterval, s_interval);
    private readonly LogAllowance _slow = new(time, LinesPerInterval, s_interval);
    private readonly LogAllowance _refused = new(time, LinesPerInterval, s_interval);
    private readonly LogAllowance _defects = new(time, LinesPerInterval, s_interval);

    public GatewayMetrics Metrics { get; } = metrics;

    public ILogger Log { get; } = log;

    /// <summary>A client sent what cannot be answered.</summary>
    public void BadRequest(string client, string reason)
    {
        Metrics.ConnectionClosed("bad_request");
        if (_bad.TryTake(out var withheld))
            Log.ClosedForBadRequest(client, reason, withheld);
    }

    public void Refused(string client, int open)
    {
        Metrics.ConnectionRefused();
        if (_refused.TryTake(out var withheld))
            Log.ConnectionRefused(client, open, withheld);
    }

    public void Idle(string client, TimeSpan silent)
    {
        Metrics.ConnectionClosed("idle");
        Log.ClosedForIdleness(client, silent);
    }

    /// <summary>A client did not bring a frame to its end in time.</summary>
    public void Slow(string client, KafkaOptions options)
    {
        Metrics.ConnectionClosed("slow");
        if (_slow.TryTake(out var withheld))
            Log.ClosedForSlowness(client, options.FrameTimeout, options.MinFrameBytesPerSecond, withheld);
    }

    /// <summary>A handler failed by our own fault.</summary>
    public void Defect(string client, Api api, short version, Exception failure)
    {
        Metrics.RequestFailed(api.Tag);
        Metrics.ConnectionClosed("defect");
        if (_defects.TryTake(out var withheld))
            Log.HandlerFailed(client, api.Name, version, withheld, failure);
    }
}
