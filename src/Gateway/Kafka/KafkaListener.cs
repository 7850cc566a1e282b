using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Kafka;

/// <summary>
/// Takes Kafka clients' connections. Start it after, and so stop it before, whatever hosts the grains: a stop answers what was asked, for
/// <see cref="KafkaOptions.DrainTimeout"/> at most, and needs them for that.
/// </summary>
internal sealed class KafkaListener(KafkaOptions options, ApiTable apis, ClusterFollowing following, GatewayMemory memory, ConnectionReports reports, TimeProvider time)
    : IHostedService, IAsyncDisposable
{
    private const int Backlog = 1024;

    private static readonly TimeSpan s_acceptRetryDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestSweepInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, (KafkaConnection Connection, Task Running)> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Socket> _sockets = [];
    private Task _accepting = Task.CompletedTask;
    private Task _sweeping = Task.CompletedTask;
    private int _open;

    /// <summary>Where it listens, by its first listener; null while it does not.</summary>
    public IPEndPoint? EndPoint { get; private set; }

    /// <summary>The listeners as their clients are told of them.</summary>
    public IReadOnlyList<Listener> Doors { get; private set; } = [];

    /// <summary>Connections that are open.</summary>
    public int Connections => Volatile.Read(ref _open);

    /// <exception cref="ListenException">The port is taken, or the address is not this machine's.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await following.StartAsync();
        var accepting = new List<Task>();
        var doors = new List<Listener>();
        foreach (var listener in options.AllListeners)
        {
            var socket = Listen(listener);
            var endPoint = (IPEndPoint)socket.LocalEndPoint!;
            EndPoint ??= endPoint;
            var door = new Listener(listener.Name, listener.AdvertisedHost, listener.AdvertisedPort == 0 ? endPoint.Port : listener.AdvertisedPort);
            doors.Add(door);
            accepting.Add(AcceptAsync(socket, new ConnectionSetup(door, apis, options, memory, reports, time)));
            reports.Log.Listening(endPoint, door.Host, door.Port);
        }

        Doors = doors;
        _accepting = Task.WhenAll(accepting);
        _sweeping = SweepAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_sockets.Count == 0 || _stopping.IsCancellationRequested)
            return;
        var open = Connections;
        await _stopping.CancelAsync();
        _sockets.ForEach(socket => socket.Dispose());
        await Task.WhenAll(_accepting, _sweeping);
        var running = _connections.Values.ToArray();
        foreach (var (connection, _) in running)
            connection.End();
        try
        {
            await Task.WhenAll(running.Select(each => each.Running)).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            foreach (var (connection, _) in running)
                connection.Abort();
        }

        await following.StopAsync();
        EndPoint = null;
        reports.Log.StoppedListening(open);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _stopping.Dispose();
    }

    private Socket Listen(ListenerOptions listener)
    {
        var address = IPAddress.Parse(listener.Address);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        try
        {
            socket.Bind(new IPEndPoint(address, listener.Port));
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException failure)
        {
            throw new ListenException(listener.Address, listener.Port, failure);
        }
    }

    private async Task AcceptAsync(Socket socket, ConnectionSetup setup)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Admit(await socket.AcceptAsync(_stopping.Token), setup);
            }
            catch (Exception failure) when (_stopping.IsCancellationRequested && failure is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException failure)
            {
                // Out of file descriptors, or a client that was gone before it was taken.
                reports.Log.AcceptFailed(s_acceptRetryDelay, failure);
                await Task.Delay(s_acceptRetryDelay, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Admit(Socket client, ConnectionSetup setup)
    {
        if (Interlocked.Increment(ref _open) > options.MaxConnections)
        {
            Interlocked.Decrement(ref _open);
            reports.Refused(Describe(client), options.MaxConnections);
            client.Dispose();
            return;
        }

        KafkaConnection connection;
        try
        {
            client.NoDelay = true;
            connection = new KafkaConnection(client, setup);
        }
        catch (SocketException)
        {
            // It was gone before it was taken.
            Interlocked.Decrement(ref _open);
            client.Dispose();
            return;
        }

        reports.Metrics.ConnectionOpened();
        var starting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection.Id] = (connection, RunAsync(connection, starting.Task));
        starting.SetResult();
    }

    private async Task RunAsync(KafkaConnection connection, Task starting)
    {
        // Not on the thread that accepts the others.
        await starting;
        try
        {
            await connection.RunAsync();
        }
        catch (Exception failure)
        {
            reports.Log.ConnectionFailed(failure);
            connection.Abort();
        }
        finally
        {
            _connections.TryRemove(connection.Id, out _);
            Interlocked.Decrement(ref _open);
            reports.Metrics.ConnectionEnded();
        }
    }

    private async Task SweepAsync()
    {
        var shortest = options.IdleTimeout < options.FrameTimeout ? options.IdleTimeout : options.FrameTimeout;
        var interval = shortest / 4 < s_longestSweepInterval ? shortest / 4 : s_longestSweepInterval;
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                foreach (var (_, (connection, _)) in _connections)
                    connection.AbortIfIdle();
            }
        }
        catch (OperationCanceledException)
        {
            // The listener stops.
        }
    }

    private static string Describe(Socket client)
    {
        try
        {
            return client.RemoteEndPoint?.ToString() ?? "?";
        }
        catch (SocketException)
        {
            return "a client that is gone already";
        }
    }
}
