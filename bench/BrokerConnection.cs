using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.Bench;

/// <summary>One connection that keeps several requests in flight; replies come in the order of the requests. Lost once, it is lost.</summary>
internal sealed class BrokerConnection(IPEndPoint broker, int maxInFlight) : IAsyncDisposable
{
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<byte[]>> _asked = new();
    private readonly CancellationTokenSource _closed = new();
    private KafkaWire? _wire;
    private int _inFlight;
    private int _lastId;

    public IPEndPoint Broker => broker;

    /// <summary>False where as many requests are in flight as may be.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _inFlight) <= maxInFlight)
            return true;
        Interlocked.Decrement(ref _inFlight);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _inFlight);

    public async Task<T> AskAsync<T>(short key, short version, Action<WireWriter> write, bool isFlexible, ReadMessage<T> read, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closed.Token);
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _sending.WaitAsync(ending.Token);
        try
        {
            if (_wire is null)
            {
                _wire = await KafkaWire.ConnectAsync(broker, ending.Token);
                _ = ReceiveAsync(_wire);
            }

            // The id is the wire's next: nobody else sends here.
            _asked[++_lastId] = answer;
            await _wire.SendAsync(key, version, write, ending.Token);
        }
        finally
        {
            _sending.Release();
        }

        return Parse(await answer.Task.WaitAsync(ending.Token), isFlexible, read, version);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _closed.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // Closed twice.
        }

        if (_wire is not null)
            await _wire.DisposeAsync();
    }

    private static T Parse<T>(byte[] frame, bool isFlexible, ReadMessage<T> read, short version)
    {
        var reader = new WireReader(frame);
        reader.ReadInt32();
        if (isFlexible)
            reader.SkipTagged();
        return read(ref reader, version);
    }

    private async Task ReceiveAsync(KafkaWire wire)
    {
        try
        {
            while (await wire.ReceiveAsync(_closed.Token) is { } frame)
            {
                if (_asked.TryRemove(BinaryPrimitives.ReadInt32BigEndian(frame), out var asked))
                    asked.TrySetResult(frame);
            }
        }
        catch (Exception lost) when (lost is IOException or System.Net.Sockets.SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Told below.
        }

        await DisposeAsync();
    }
}
