using System.Diagnostics.Metrics;

namespace Granary.Gateway.Kafka;

/// <summary>What the Kafka listener counts. Names follow the OpenTelemetry collector's Kafka receiver where it has one.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Granary.Gateway";

    private static readonly KeyValuePair<string, object?> s_in = new("state", "in");
    private static readonly KeyValuePair<string, object?> s_out = new("state", "out");

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _failedRequests;
    private readonly Histogram<double> _requestTime;
    private readonly Counter<long> _networkBytes;
    private readonly UpDownCounter<long> _connections;
    private readonly Counter<long> _refusedConnections;
    private readonly Counter<long> _closedConnections;

    public GatewayMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>("kafka.request.count", "{requests}", "Requests received, by API.");
        _failedRequests = _meter.CreateCounter<long>("kafka.request.failed", "{requests}", "Requests that ended in an exception or closed their connection, by API.");
        // "None" is not the same as "not measured".
        _failedRequests.Add(0);
        _requestTime = _meter.CreateHistogram<double>("kafka.request.time", "ms", "From a request's last byte received to its reply's last byte sent, by API.");
        _networkBytes = _meter.CreateCounter<long>("kafka.network.io", "By", "Bytes received and sent.");
        _connections = _meter.CreateUpDownCounter<long>("kafka.connection.count", "{connections}", "Connections that are open.");
        _refusedConnections = _meter.CreateCounter<long>("kafka.connection.refused", "{connections}", "Connections closed at once because max.connections were open.");
        _closedConnections = _meter.CreateCounter<long>("kafka.connection.closed", "{connections}", "Connections that this side closed, by reason.");
    }

    public void RequestReceived(KeyValuePair<string, object?> api, int bytes)
    {
        _requests.Add(1, api);
        _networkBytes.Add(bytes, s_in);
    }

    public void RequestFailed(KeyValuePair<string, object?> api) => _failedRequests.Add(1, api);

    public void ReplySent(KeyValuePair<string, object?> api, TimeSpan took)
    {
        if (_requestTime.Enabled)
            _requestTime.Record(took.TotalMilliseconds, api);
    }

    public void BytesSent(long bytes) => _networkBytes.Add(bytes, s_out);

    public void ConnectionOpened() => _connections.Add(1);

    public void ConnectionEnded() => _connections.Add(-1);

    public void ConnectionRefused() => _refusedConnections.Add(1);

    /// <param name="reason">One of a few words.</param>
    public void ConnectionClosed(string reason) => _closedConnections.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => _meter.Dispose();
}
