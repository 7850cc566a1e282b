using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Granary.Gateway.Kafka.Apis;
using Granary.Gateway.Kafka.Fetching;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka;

/// <summary>
/// One client's connection. Requests are started in the order they come, each without waiting for the former, as many at a time as the
/// limits allow; replies leave in the same order. Legal course: reading; ending (nothing more is read, what was asked is
/// answered, for <see cref="KafkaOptions.DrainTimeout"/> at most); closed.
/// </summary>
internal sealed class KafkaConnection
{
    private const int SmallestHeaderBytes = 8;

    private readonly Socket _socket;
    private readonly ConnectionSetup _setup;
    private readonly FrameReader _frames;
    private readonly GatherSender _sender;
    private readonly ReplyQueue _replies;
    private readonly string _client;
    private readonly string _clientHost;
    private readonly CancellationTokenSource _reading = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly FetchReader _reader = new();
    private volatile bool _isHeldBack;

    public KafkaConnection(Socket socket, ConnectionSetup setup)
    {
        _socket = socket;
        _setup = setup;
        _client = socket.RemoteEndPoint?.ToString() ?? "?";
        _clientHost = $"/{(socket.RemoteEndPoint as IPEndPoint)?.Address}";
        _frames = new FrameReader(socket, setup.Time);
        _sender = new GatherSender(socket, setup.Time);
        _replies = new ReplyQueue(_sender, setup.Options, setup.Memory.Replies, setup.Reports.Metrics, setup.Time) { OnEnd = OnRepliesEnded };
    }

    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>Serves the client until one side ends the connection. Never throws for what a client or the network does.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ReadAsync();
        }
        catch (MalformedFrameException failure)
        {
            _setup.Reports.BadRequest(_client, failure.Message);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or OperationCanceledException or EndOfStreamException)
        {
            // The client went, or the connection is ending by our own will.
            _setup.Reports.Log.ConnectionBroke(_client, failure.Message);
        }

        await DrainAsync();
        Abort();
        _frames.Dispose();
    }

    /// <summary>Reads nothing more; what was asked is answered, then the connection closes.</summary>
    public void End()
    {
        _reading.Cancel();
        _ending.Cancel();
    }

    /// <summary>Closes now.</summary>
    public void Abort()
    {
        _reading.Cancel();
        _aborted.Cancel();
        _ending.Cancel();
        _socket.Dispose();
        _replies.Close();
    }

    /// <summary>Closes the connection where its client has been silent, or has taken nothing, or has not brought a frame to its end, for longer than the limits allow.</summary>
    public void AbortIfIdle()
    {
        var options = _setup.Options;
        if (_frames.IsLate)
            AbortSlow();
        else if (_replies.IsSending)
            AbortIfOlder(_sender.LastSent, options.IdleTimeout);
        else if (_frames.IsInsideFrame && !_isHeldBack)
            AbortIfOlder(_frames.LastReceived, options.FrameTimeout);
        else if (_replies.Count == 0)
            AbortIfOlder(Math.Max(_frames.LastReceived, _sender.LastSent), options.IdleTimeout);
    }

    /// <summary>Without this a byte now and then would keep a frame's memory, which others wait for, as long as its client likes.</summary>
    private void AbortSlow()
    {
        if (_aborted.IsCancellationRequested)
            return;
        _setup.Reports.Slow(_client, _setup.Options);
        Abort();
    }

    private void AbortIfOlder(long lastSeen, TimeSpan limit)
    {
        var silent = _setup.Time.GetElapsedTime(lastSeen);
        if (silent <= limit || _aborted.IsCancellationRequested)
            return;
        _setup.Reports.Idle(_client, silent);
        Abort();
    }

    private async Task ReadAsync()
    {
        while (true)
        {
            await HoldBackAsync(_replies.RoomAsync());
            if (await _frames.ReadLengthAsync(_reading.Token) is not { } length)
                return;
            CheckLength(length);
            await HoldBackAsync(_setup.Memory.Requests.TakeAsync(length, _reading.Token).AsTask());
            byte[] frame;
            try
            {
                frame = await _frames.ReadBodyAsync(length, _setup.Options.TimeFor(length), _reading.Token);
            }
            catch
            {
                _setup.Memory.Requests.Return(length);
                throw;
            }

            if (Start(frame) is { } orderedPart)
                await orderedPart.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Leaves the socket unread until there is room. The client is not at fault for the time that takes.</summary>
    private async ValueTask HoldBackAsync(Task room)
    {
        if (room.IsCompletedSuccessfully)
            return;
        _isHeldBack = true;
        await room;
        _frames.ForgiveSilence();
        _isHeldBack = false;
    }

    private void CheckLength(int length)
    {
        if (length < SmallestHeaderBytes)
            throw new MalformedFrameException($"frame length is {length}, less than the {SmallestHeaderBytes} bytes of the smallest header");
        if (length > _setup.Options.MaxFrameBytes)
            throw new MalformedFrameException($"frame length is {length}, more than the limit of {_setup.Options.MaxFrameBytes} (MaxFrameBytes, socket.request.max.bytes)");
    }

    /// <summary>Starts to answer a request; what the next one has to wait for, or null.</summary>
    private Task? Start(byte[] frame)
    {
        var key = BinaryPrimitives.ReadInt16BigEndian(frame);
        var version = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(sizeof(short)));
        var correlationId = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(2 * sizeof(short)));
        if (!_setup.Apis.TryFind(key, out var api))
        {
            _setup.Memory.Requests.Return(frame.Length);
            throw new MalformedFrameException($"API key {key} is not known");
        }

        _setup.Reports.Metrics.RequestReceived(api.Tag, frame.Length + FrameReader.LengthBytes);
        var place = _replies.Add(api, frame.Length);
        try
        {
            if (!api.Takes(version))
            {
                Finish(place, RefuseVersion(api, version, correlationId));
                return null;
            }

            var reader = new WireReader(frame);
            var context = ContextOf(RequestHeader.Read(ref reader).ClientId, version);
            var answering = api.AnswerAsync(context, correlationId, ref reader);
            if (answering.IsCompletedSuccessfully)
                Finish(place, answering.Result, context.CloseReason);
            else
                _ = FinishAsync(place, context, answering);
            return context.OrderedPart;
        }
        catch (MalformedFrameException failure)
        {
            // It has no reply, but those before it do.
            Finish(place, null);
            throw new MalformedFrameException($"{api.Name} version {version} cannot be read: {failure.Message}");
        }
        catch (Exception failure)
        {
            EndByDefect(place, version, failure);
            return null;
        }
    }

    private RequestContext ContextOf(string? clientId, short version) => new()
    {
        ApiVersion = version,
        ClientId = clientId,
        ClientHost = _clientHost,
        ConnectionId = Id,
        Listener = _setup.Listener,
        Aborted = _aborted.Token,
        Ending = _ending.Token,
        Reader = _reader,
    };

    /// <summary>A client that asks in too new a version what versions there are is told (KIP-511); all else is answered by no version that it would understand.</summary>
    private static WireWriter RefuseVersion(Api api, short version, int correlationId)
    {
        if (api.Key == ApiVersionsRequest.ApiKey)
            return ApiVersionsApi.Refuse(api, correlationId);
        throw new MalformedFrameException($"its versions are {api.LowestVersion} to {api.HighestVersion}, not {version}");
    }

    private async Task FinishAsync(ReplyQueue.Place place, RequestContext context, ValueTask<WireWriter?> answering)
    {
        try
        {
            Finish(place, await answering, context.CloseReason);
        }
        catch (OperationCanceledException) when (context.Aborted.IsCancellationRequested)
        {
            Finish(place, null);
        }
        catch (Exception failure)
        {
            EndByDefect(place, context.ApiVersion, failure);
        }
    }

    /// <summary>What a failed handler has done is not known, so its client is told nothing.</summary>
    private void EndByDefect(ReplyQueue.Place place, short version, Exception failure)
    {
        _setup.Reports.Defect(_client, place.Api, version, failure);
        Finish(place, null);
        Abort();
    }

    private void Finish(ReplyQueue.Place place, WireWriter? frame, string? closeReason = null)
    {
        _setup.Memory.Requests.Return(place.RequestBytes);
        _replies.Complete(place, frame, closeReason);
    }

    private void OnRepliesEnded(string? reason)
    {
        if (reason is not null)
            _setup.Reports.BadRequest(_client, reason);
        Abort();
    }

    private async Task DrainAsync()
    {
        _ending.Cancel();
        try
        {
            await _replies.EmptyAsync().WaitAsync(_setup.Options.DrainTimeout, _setup.Time, _aborted.Token);
        }
        catch (Exception failure) when (failure is TimeoutException or OperationCanceledException)
        {
            _setup.Reports.Log.ConnectionBroke(_client, $"{_replies.Count} requests were not answered in {_setup.Options.DrainTimeout}");
        }
    }
}
