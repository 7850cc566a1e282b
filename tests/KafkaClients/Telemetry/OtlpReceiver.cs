using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Granary.Support;

namespace Granary.KafkaClients.Telemetry;

/// <summary>Takes what is exported by OTLP (http/protobuf), and keeps the bodies.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<(string Path, string? Type, byte[] Body)> _posts = new();
    private readonly Task _serving;

    public OtlpReceiver()
    {
        Endpoint = $"http://127.0.0.1:{FreePorts.Next()}/";
        _listener.Prefixes.Add(Endpoint);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Endpoint { get; }

    public IReadOnlyCollection<(string Path, string? Type, byte[] Body)> Posts => [.. _posts];

    /// <summary>A name is written into protobuf as it is, its length before it.</summary>
    public bool Has(string metric)
    {
        byte[] name = [0x0a, (byte)metric.Length, .. Encoding.UTF8.GetBytes(metric)];
        return _posts.Any(post => post.Body.AsSpan().IndexOf(name) >= 0);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception) when (!_listener.IsListening)
            {
                return;
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            _posts.Enqueue((context.Request.Url!.AbsolutePath, context.Request.ContentType, body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }
}
