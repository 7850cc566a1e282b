using System.Collections.Generic;

namespace Granary.Gateway.Generator;

/// <summary>Versions from-to, both inclusive.</summary>
internal readonly struct VersionRange
{
    public const short Highest = short.MaxValue;

    public VersionRange(short from, short to)
    {
        From = from;
        To = to;
    }

    public static VersionRange All => new VersionRange(0, Highest);

    public static VersionRange None => new VersionRange(Highest, 0);

    public short From { get; }

    public short To { get; }

    public bool IsNone => From > To;

    public bool Covers(VersionRange other) => From <= other.From && To >= other.To;
}

internal enum FieldKind
{
    Bool,
    Int8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct,
}

/// <summary>One field of a message or of a struct in it.</summary>
internal sealed class Field
{
    public string Name { get; set; } = "";

    public FieldKind Kind { get; set; }

    public string StructName { get; set; } = "";

    public bool IsArray { get; set; }

    public VersionRange Versions { get; set; }

    public VersionRange Nullable { get; set; } = VersionRange.None;

    public string? Default { get; set; }

    /// <summary>Its tag, or -1 for a field with a place of its own.</summary>
    public int Tag { get; set; } = -1;

    public bool IsNullable => !Nullable.IsNone;
}

/// <summary>Fields in their order on the wire.</summary>
internal sealed class Struct
{
    public string Name { get; set; } = "";

    public List<Field> Fields { get; } = new List<Field>();

    /// <summary>True where it is the value of a tagged field: it is left out when nothing in it differs from its default.</summary>
    public bool IsTaggedValue { get; set; }
}

/// <summary>A request or a response, with the structs that it is made of.</summary>
internal sealed class Message
{
    public string ClassName { get; set; } = "";

    public short ApiKey { get; set; }

    public VersionRange Versions { get; set; }

    /// <summary>First flexible version; <see cref="VersionRange.Highest"/> where there is none.</summary>
    public short FlexibleFrom { get; set; }

    public Struct Body { get; } = new Struct();

    public List<Struct> Structs { get; } = new List<Struct>();
}
