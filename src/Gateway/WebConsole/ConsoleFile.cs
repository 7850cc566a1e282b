using System.IO.Compression;
using System.Security.Cryptography;

namespace Granary.Gateway.WebConsole;

/// <summary>One static file of the console, as it lies in this assembly, with what HTTP says about it.</summary>
internal sealed class ConsoleFile
{
    private const string ResourcePrefix = "console/";

    private readonly Lazy<byte[]> _compressed;

    private ConsoleFile(string name, byte[] content)
    {
        Name = name;
        Content = content;
        ContentType = TypeOf(Path.GetExtension(name));
        Tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"";
        _compressed = new Lazy<byte[]>(Compress);
    }

    /// <summary>Its path below wwwroot, with forward slashes.</summary>
    public string Name { get; }

    public byte[] Content { get; }

    /// <summary>The same in Brotli; made when it is asked for first, and kept.</summary>
    public byte[] Compressed => _compressed.Value;

    public string ContentType { get; }

    /// <summary>A strong entity tag: equal exactly where the content is equal.</summary>
    public string Tag { get; }

    /// <summary>Libraries have their version in their name, so a name stands for one content for ever.</summary>
    public bool IsImmutable => Name.StartsWith("lib/", StringComparison.Ordinal) && Name.EndsWith(".mjs", StringComparison.Ordinal);

    /// <summary>All files of the console.</summary>
    public static IReadOnlyList<ConsoleFile> ReadAll()
    {
        var assembly = typeof(ConsoleFile).Assembly;
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(static resource => resource.StartsWith(ResourcePrefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(resource => Read(resource[ResourcePrefix.Length..], assembly.GetManifestResourceStream(resource)!)),
        ];
    }

    private static ConsoleFile Read(string name, Stream stream)
    {
        using (stream)
        {
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            return new ConsoleFile(name.Replace('\\', '/'), content);
        }
    }

    private byte[] Compress()
    {
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.SmallestSize))
            brotli.Write(Content);
        return buffer.ToArray();
    }

    private static string TypeOf(string extension) => extension switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" or ".mjs" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".json" => "application/json",
        ".txt" => "text/plain; charset=utf-8",
        _ => throw new InvalidOperationException($"the console has a file of an unknown kind: {extension}"),
    };
}
