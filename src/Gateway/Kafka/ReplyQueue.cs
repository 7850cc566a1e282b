using System.Net.Sockets;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka;

/// <summary>
/// A connection's replies, in the order of its requests. Whoever finishes the reply at the head sends it, and all that are ready behind
/// it, in one gathering write: no thread of its own, no hop. Legal course of a place: added, completed, then (when all before it have
/// left) sent and released. Safe for many threads; places are added by one.
/// </summary>
internal sealed class ReplyQueue(GatherSender sender, KafkaOptions options, ReplyMemory memory, GatewayMetrics metrics, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Queue<Place> _places = new();
    private readonly List<Place> _leaving = [];
    private long _bytes;
    private bool _isSending;
    private bool _isClosed;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _empty;

    /// <summary>Called, once at most, where the connection is to end: with the reason of a place that asked for it, or null where sending failed.</summary>
    public Action<string?>? OnEnd { get; set; }

    /// <summary>Requests not yet answered and replies not yet sent.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _places.Count + _leaving.Count;
        }
    }

    /// <summary>True while a reply waits for the client to take it.</summary>
    public bool IsSending
    {
        get
        {
            lock (_gate)
                return _isSending;
        }
    }

    /// <summary>Ends at once where another request may be taken, else when replies have left.</summary>
    public Task RoomAsync()
    {
        lock (_gate)
        {
            if (HasRoom)
                return Task.CompletedTask;
            return (_room ??= NewSignal()).Task;
        }
    }

    /// <summary>Ends when no request is unanswered and no reply unsent.</summary>
    public Task EmptyAsync()
    {
        lock (_gate)
        {
            if (IsEmpty)
                return Task.CompletedTask;
            return (_empty ??= NewSignal()).Task;
        }
    }

    /// <summary>The next request's place.</summary>
    public Place Add(Api api, int requestBytes)
    {
        var place = new Place(api, requestBytes, time.GetTimestamp());
        lock (_gate)
        {
            _places.Enqueue(place);
            _bytes += requestBytes;
        }

        return place;
    }

    /// <summary>Fills a place, and sends what can now leave. The queue disposes the frame.</summary>
    /// <param name="frame">Null: there is no reply.</param>
    /// <param name="closeReason">Not null: the connection ends when it is this place's turn.</param>
    public void Complete(Place place, WireWriter? frame, string? closeReason = null)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                frame?.Dispose();
                return;
            }

            place.Frame = frame;
            place.CloseReason = closeReason;
            place.IsDone = true;
            place.HeldBytes = frame?.Length ?? 0;
            _bytes += place.HeldBytes - place.RequestBytes;
            memory.Hold(place.HeldBytes);
            if (_isSending || !TakeReady())
                return;
            _isSending = true;
        }

        _ = SendAsync();
    }

    private void Drop(Place place)
    {
        _bytes -= place.IsDone ? place.HeldBytes : place.RequestBytes;
        memory.Return(place.HeldBytes);
        place.Frame?.Dispose();
    }

    /// <summary>Drops all places. Replies still to come are dropped as they come.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            while (_places.TryDequeue(out var place))
                Drop(place);
            // What is being sent is released by its sender.
            Signal(ref _room);
            if (!_isSending)
                Signal(ref _empty);
        }
    }

    private bool HasRoom =>
        _isClosed || (_places.Count + _leaving.Count < options.MaxInFlightRequests && (_bytes < options.MaxInFlightBytes || IsEmpty));

    private bool IsEmpty => _places.Count == 0 && _leaving.Count == 0;

    /// <summary>Moves what is ready at the head to those that leave; false where nothing is.</summary>
    private bool TakeReady()
    {
        while (_leaving.Count < options.MaxInFlightRequests && _places.TryPeek(out var head) && head.IsDone)
        {
            _leaving.Add(_places.Dequeue());
            if (head.CloseReason is not null)
                break;
        }

        return _leaving.Count > 0;
    }

    private async Task SendAsync()
    {
        try
        {
            do
            {
                foreach (var place in _leaving)
                {
                    if (place.Frame is { } frame)
                        sender.Add(frame.Segments);
                }

                var sent = await sender.SendAsync();
                if (sent > 0)
                    metrics.BytesSent(sent);
            }
            while (Release());
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            End(null);
        }
    }

    /// <summary>Lets go of what was sent, and takes what became ready meanwhile; false where nothing did.</summary>
    private bool Release()
    {
        string? closeReason = null;
        lock (_gate)
        {
            foreach (var place in _leaving)
            {
                if (place.Frame is not null)
                    metrics.ReplySent(place.Api.Tag, time.GetElapsedTime(place.ReceivedAt));
                Drop(place);
                closeReason = place.CloseReason;
            }

            _leaving.Clear();
            if (closeReason is null && !_isClosed)
            {
                if (HasRoom)
                    Signal(ref _room);
                if (TakeReady())
                    return true;
                if (IsEmpty)
                    Signal(ref _empty);
                _isSending = false;
                return false;
            }
        }

        End(closeReason);
        return false;
    }

    private void End(string? reason)
    {
        lock (_gate)
        {
            _leaving.ForEach(Drop);
            _leaving.Clear();
            _isSending = false;
        }

        Close();
        OnEnd?.Invoke(reason);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Signal(ref TaskCompletionSource? signal)
    {
        signal?.TrySetResult();
        signal = null;
    }

    /// <summary>A request's place in the line.</summary>
    internal sealed class Place(Api api, int requestBytes, long receivedAt)
    {
        public Api Api { get; } = api;

        public int RequestBytes { get; } = requestBytes;

        public long ReceivedAt { get; } = receivedAt;

        internal WireWriter? Frame { get; set; }

        internal string? CloseReason { get; set; }

        internal bool IsDone { get; set; }

        internal long HeldBytes { get; set; }
    }
}
