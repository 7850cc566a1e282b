using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Granary.KafkaClients.Recording;

/// <summary>Stands between clients and a silo that tells them this port, and passes on whatever comes; requests are recorded frame by frame.</summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly FrameRecording _recording;
    private readonly List<Task> _running = [];
    private volatile string _client = "";
    private IPEndPoint? _target;
    private Task _accepting = Task.CompletedTask;

    public RecordingProxy(FrameRecording recording)
    {
        _recording = recording;
        _listener.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Bootstrap => $"127.0.0.1:{Port}";

    /// <summary>From now on connections lead there.</summary>
    public void LeadTo(string bootstrap)
    {
        _target = IPEndPoint.Parse(bootstrap);
        _accepting = AcceptAsync();
    }

    /// <summary>Connections that are made from now on are that client's.</summary>
    public void Expect(string client) => _client = client;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        await Task.WhenAll(_running);
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _running.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token), _client));
        }
        catch (OperationCanceledException)
        {
            // The recording is over.
        }
    }

    private async Task ServeAsync(TcpClient client, string name)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(_target!, _stopping.Token);
            near.NoDelay = far.NoDelay = true;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            var requests = PassRequestsAsync(near.GetStream(), far.GetStream(), name, either.Token);
            var replies = far.GetStream().CopyToAsync(near.GetStream(), either.Token);
            await Task.WhenAny(requests, replies);
            await either.CancelAsync();
            await Task.WhenAll(requests, replies);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or SocketException)
        {
            // One side has left; so does the other.
        }
    }

    private async Task PassRequestsAsync(NetworkStream from, NetworkStream to, string client, CancellationToken cancellation)
    {
        var prefix = new byte[sizeof(int)];
        while (true)
        {
            await from.ReadExactlyAsync(prefix, cancellation);
            var frame = new byte[prefix.Length + BinaryPrimitives.ReadInt32BigEndian(prefix)];
            prefix.CopyTo(frame, 0);
            await from.ReadExactlyAsync(frame.AsMemory(prefix.Length), cancellation);
            _recording.Add(client, frame);
            await to.WriteAsync(frame, cancellation);
        }
    }
}
