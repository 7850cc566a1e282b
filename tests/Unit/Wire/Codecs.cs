using System.Reflection;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Unit.Wire;

/// <summary>Every generated message, found by its name.</summary>
internal static class Codecs
{
    private const string Request = "Request";

    private static readonly Dictionary<short, string> s_names = typeof(WireReader).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(WireReader).Namespace && type.Name.EndsWith(Request, StringComparison.Ordinal) && type.GetField("ApiKey") is not null)
        .ToDictionary(type => (short)type.GetField("ApiKey")!.GetRawConstantValue()!, type => type.Name[..^Request.Length]);

    /// <summary>The generated class of `req` or `resp` of an API, or null where it is not declared.</summary>
    public static Type? Find(string kind, string api) =>
        typeof(WireReader).Assembly.GetType($"Granary.Gateway.Kafka.Wire.{api}{(kind == "req" ? "Request" : "Response")}");

    /// <summary>The name of the API with that key, or null where it is not declared.</summary>
    public static string? NameOf(short apiKey) => s_names.GetValueOrDefault(apiKey);

    public static bool Declares(Type message, short version) =>
        version >= (short)message.GetField("LowestVersion")!.GetRawConstantValue()! && version <= (short)message.GetField("HighestVersion")!.GetRawConstantValue()!;

    /// <summary>Reads a body to its end.</summary>
    /// <exception cref="MalformedFrameException">It is not one.</exception>
    public static object Read(Type message, short version, ReadOnlyMemory<byte> bytes, out int unread)
    {
        var generic = typeof(Codecs).GetMethod(nameof(ReadAs), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(message);
        try
        {
            var arguments = new object?[] { version, bytes, 0 };
            var read = generic.Invoke(null, arguments)!;
            unread = (int)arguments[2]!;
            return read;
        }
        catch (TargetInvocationException thrown)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown.InnerException!);
            throw;
        }
    }

    public static byte[] Write(object message, short version)
    {
        using var writer = new WireWriter(forFrame: false);
        message.GetType().GetMethod("Write")!.Invoke(message, [writer, version]);
        return [.. writer.Segments.SelectMany(segment => segment)];
    }

    private static object ReadAs<TMessage>(short version, ReadOnlyMemory<byte> bytes, out int unread)
        where TMessage : class
    {
        var read = typeof(TMessage).GetMethod("Read")!.CreateDelegate<ReadMessage<TMessage>>();
        var reader = new WireReader(bytes);
        var message = read(ref reader, version);
        unread = reader.Remaining;
        return message;
    }

    private delegate TMessage ReadMessage<TMessage>(ref WireReader reader, short version);
}
